import { readFileSync } from 'node:fs';
import { array, assert, constantFrom, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseGitReference } from './git-reference.ts';

const ROWS = readFileSync(new URL('../../../../fixtures/git-refs.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line): [string, string] => {
    const bar = line.indexOf(' | ');
    return [line.slice(0, bar), line.slice(bar + 3)];
  });

const DEFAULTS = {
  ref: undefined,
  subdir: undefined,
  commit: undefined,
  keepsGitFolder: undefined,
  credentials: undefined,
  hasSubmodules: true,
  mtime: 'checkout',
  fetchesByCommit: false,
};

function meaningOf(text: string): unknown {
  const parsed = parseGitReference(text);
  if (parsed === undefined) return '-';
  return parsed.ok ? parsed.value : `error: ${parsed.error.message}`;
}

describe('references to repositories', () => {
  test.each(ROWS)('%s', (text, meaning) => {
    const expected: unknown = meaning.startsWith('{') ? { ...DEFAULTS, ...JSON.parse(meaning) } : meaning;
    expect(meaningOf(text)).toEqual(expected);
  });

  test('github.com/... is one only where a context is named', () => {
    expect(parseGitReference('github.com/a/b#c')).toBeUndefined();
    expect(parseGitReference('github.com/a/b#c', { allowsBareGitHub: true })).toMatchObject({
      value: { remote: 'https://github.com/a/b', ref: 'c' },
    });
  });

  test('what is not known is answered with what is near', () => {
    expect(parseGitReference('https://h/x.git?brnch=a')).toMatchObject({ error: { suggestion: 'branch' } });
    expect(parseGitReference('https://h/x.git?mtime=comit')).toMatchObject({
      error: { suggestion: 'commit' },
    });
  });

  test('nothing that git would take for an option, or that leaves the repository, gets through', () => {
    const parts = constantFrom(
      'https://',
      'ssh://',
      'git@',
      'h',
      ':',
      '/',
      'x.git',
      '#',
      '?ref=',
      '-',
      '..',
      'a',
      ' ',
    );
    assert(
      property(array(parts, { maxLength: 12 }), (words) => {
        const parsed = parseGitReference(words.join(''));
        if (parsed?.ok !== true) return;
        const { remote, ref = 'x', subdir = 'x' } = parsed.value;
        expect(remote).toMatch(/^(?:(?:https?|ssh|git):\/\/[A-Za-z0-9[]|[A-Za-z0-9_-]+@[A-Za-z0-9])/);
        expect(`${remote}\n${ref}`).not.toMatch(/^-|\s-| /m);
        expect(subdir.split('/')).not.toContain('..');
      }),
    );
  });
});
