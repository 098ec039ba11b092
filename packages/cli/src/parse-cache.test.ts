import { describe, expect, test } from 'vitest';
import { parseCacheFrom, parseCacheTo } from './parse-cache.ts';
import { UsageError } from './usage-error.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

/** What a flag is refused with. */
function refusal(parse: () => unknown, detail: 'expected' | 'suggestion' = 'expected'): readonly unknown[] {
  try {
    parse();
  } catch (error) {
    if (error instanceof UsageError) return [error.message, error.details[detail]];
    throw error;
  }
  return [];
}

describe('where a cache lies', () => {
  test.each([
    ['src', () => parseCacheFrom('type=local,dest=c', '/w')],
    ['dest', () => parseCacheTo('type=local,src=c', '/w')],
  ])('is %s where the name of the other flag was taken', (suggestion, parse) => {
    expect(refusal(parse, 'suggestion')).toContain(suggestion);
  });

  test('takes the fields that scripts for docker have', () => {
    const to =
      'ref=a/b,mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true,force-compression=false';
    expect(parseCacheTo(`type=registry,${to}`, '/w')).toStrictEqual({
      type: 'registry',
      reference: 'a/b',
      mode: 'max',
    });
    expect(parseCacheFrom(`type=local,src=c,digest=${DIGEST}`, '/w')).toStrictEqual({
      type: 'local',
      folder: '/w/c',
      digest: DIGEST,
    });
  });

  test.each([
    ['image-manifest=false', 'image-manifest=true, or nothing: a cache is an image manifest'],
    ['oci-mediatypes=false', 'oci-mediatypes=true, or nothing: a cache has the media types of OCI'],
    ['ignore-error=false', 'ignore-error=true, or nothing: a cache that cannot be written is a warning'],
    [
      'force-compression=true',
      'force-compression=false, or nothing: a layer of an imported cache is passed on as it lies',
    ],
  ])('refuses %s, which it cannot hold', (field, expected) => {
    expect(refusal(() => parseCacheTo(`type=local,dest=c,${field}`, '/'))).toStrictEqual([
      `--cache-to "type=local,dest=c,${field}": ${field} is not supported`,
      expected,
    ]);
  });

  test.each([
    ['inline', 'type=registry,ref=NAME: a cache beside the image, under a tag of its own'],
    ['gha', 'type=local with a folder that actions/cache keeps, or type=registry'],
    ['s3', 'type=local with a folder that is copied to and from the bucket, or type=registry'],
    ['azblob', 'type=local with a folder that is copied to and from the container, or type=registry'],
  ])('says what to use in place of type=%s', (type, instead) => {
    const expected = `registry, local; in its place: ${instead}`;
    expect(refusal(() => parseCacheTo(`type=${type}`, '/'))).toStrictEqual([
      `--cache-to type "${type}" is not supported`,
      expected,
    ]);
    expect(refusal(() => parseCacheFrom(`type=${type},name=x`, '/'))).toStrictEqual([
      `--cache-from type "${type}" is not supported`,
      expected,
    ]);
  });

  test('refuses what is no digest', () => {
    const [message] = refusal(() => parseCacheFrom('type=local,src=c,digest=x', '/'));
    expect(message).toMatch(/^--cache-from "type=local,src=c,digest=x": /);
  });
});
