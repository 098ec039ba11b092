import { resolve } from 'node:path';
import type { BuildRequest } from '@caisson/builder';
import { parseDigest, parseReference } from '@caisson/oci';
import { suggest } from '@caisson/parser';
import { checkFixedKeys, type FixedKeys } from './fixed-keys.ts';
import { parseCompression } from './parse-compression.ts';
import { oneOf } from './parse-options.ts';
import { UsageError } from './usage-error.ts';

type CacheFrom = NonNullable<BuildRequest['cacheFrom']>[number];
type CacheTo = NonNullable<BuildRequest['cacheTo']>[number];

const TYPES = ['registry', 'local'] as const;

/** Types that docker has besides, and what does the same here. */
const OTHER_TYPES: Readonly<Record<string, string>> = {
  inline: 'type=registry,ref=NAME: a cache beside the image, under a tag of its own',
  gha: 'type=local with a folder that actions/cache keeps, or type=registry',
  s3: 'type=local with a folder that is copied to and from the bucket, or type=registry',
  azblob: 'type=local with a folder that is copied to and from the container, or type=registry',
};

const FIXED: FixedKeys = {
  'image-manifest': { value: 'true', why: 'a cache is an image manifest' },
  'oci-mediatypes': { value: 'true', why: 'a cache has the media types of OCI' },
  'ignore-error': { value: 'true', why: 'a cache that cannot be written is a warning' },
  'force-compression': { value: 'false', why: 'a layer of an imported cache is passed on as it lies' },
};

/**
 * `--cache-from`: `type=registry,ref=NAME`, `type=local,src=FOLDER[,tag=TAG|,digest=DIGEST]`; a name alone is one of a
 * registry.
 */
export function parseCacheFrom(text: string, cwd: string): CacheFrom {
  const { location, fields } = locationOf('--cache-from', text, cwd, {
    folder: 'src',
    more: [],
    ofFolder: ['digest'],
  });
  const digest = fields.get('digest');
  if (location.type !== 'local' || digest === undefined) return location;
  const parsed = parseDigest(digest);
  if (!parsed.ok) throw new UsageError(`--cache-from ${JSON.stringify(text)}: ${parsed.error}`);
  return { ...location, digest: parsed.value };
}

/** `--cache-to`: the same with `dest` for `src`, `mode=min|max` and `compression=none|gzip|zstd`. @throws UsageError */
export function parseCacheTo(text: string, cwd: string): CacheTo {
  const how = { folder: 'dest', more: ['mode', 'compression', ...Object.keys(FIXED)], ofFolder: [] };
  const { location, fields } = locationOf('--cache-to', text, cwd, how);
  checkFixedKeys('--cache-to', text, fields, FIXED);
  const mode = fields.get('mode');
  const compression = fields.get('compression');
  return {
    ...location,
    ...(mode === undefined ? {} : { mode: oneOf('--cache-to mode', mode, ['min', 'max']) }),
    ...(compression === undefined
      ? {}
      : { compression: parseCompression('--cache-to compression', compression) }),
  };
}

/** What the path of a folder goes by, in one flag or the other. */
const FOLDERS: ReadonlySet<string> = new Set(['src', 'dest']);

/** What a flag has besides the type and, of a registry, the name. */
interface Fields {
  /** What a folder's path goes by. */
  readonly folder: string;
  readonly more: readonly string[];
  readonly ofFolder: readonly string[];
}

function locationOf(
  flag: string,
  text: string,
  cwd: string,
  { folder, more, ofFolder }: Fields,
): { readonly location: CacheFrom; readonly fields: ReadonlyMap<string, string> } {
  // As with docker, a name alone.
  const fields = fieldsOf(flag, text.includes('=') ? text : `type=registry,ref=${text}`);
  const given = fields.get('type') ?? 'registry';
  const instead = Object.hasOwn(OTHER_TYPES, given) ? OTHER_TYPES[given] : undefined;
  if (instead !== undefined) {
    const expected = `${TYPES.join(', ')}; in its place: ${instead}`;
    throw new UsageError(`${flag} type ${JSON.stringify(given)} is not supported`, { expected });
  }
  const type = oneOf(`${flag} type`, given, TYPES);
  const known = ['type', ...more, ...(type === 'registry' ? ['ref'] : [folder, 'tag', ...ofFolder])];
  for (const name of fields.keys()) {
    if (known.includes(name)) continue;
    const isFolder = type === 'local' && FOLDERS.has(name);
    const suggestion = isFolder ? folder : suggest(name, known);
    throw new UsageError(`${flag} ${JSON.stringify(text)}: ${JSON.stringify(name)} is not known`, {
      expected: known.join(', '),
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
  const where = fields.get(type === 'registry' ? 'ref' : folder) ?? '';
  if (where === '') {
    throw new UsageError(`${flag} ${JSON.stringify(text)} does not say where`, {
      expected: type === 'registry' ? 'type=registry,ref=NAME' : `type=local,${folder}=FOLDER`,
    });
  }
  if (type === 'registry') checkName(flag, text, where, folder);
  const tag = fields.get('tag');
  const location: CacheFrom =
    type === 'registry'
      ? { type, reference: where }
      : { type, folder: resolve(cwd, where), ...(tag === undefined ? {} : { tag }) };
  return { location, fields };
}

/** A name alone may have been meant for a folder. */
function checkName(flag: string, text: string, name: string, folder: string): void {
  const reference = parseReference(name);
  if (reference.ok) return;
  throw new UsageError(`${flag} ${reference.error}`, {
    expected: `type=registry,ref=NAME or type=local,${folder}=FOLDER`,
    ...(text === name && /^[./~]/.test(name) ? { suggestion: `type=local,${folder}=${name}` } : {}),
  });
}

function fieldsOf(flag: string, text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of text.split(',')) {
    const equals = field.indexOf('=');
    if (equals === -1) {
      throw new UsageError(`${flag} ${JSON.stringify(text)}: ${JSON.stringify(field)} has no value`, {
        expected: 'NAME=VALUE, with commas between them',
      });
    }
    fields.set(field.slice(0, equals), field.slice(equals + 1));
  }
  return fields;
}
