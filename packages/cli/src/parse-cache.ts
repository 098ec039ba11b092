import { resolve } from 'node:path';
import type { BuildRequest } from '@caisson/builder';
import { parseReference } from '@caisson/oci';
import { suggest } from '@caisson/parser';
import { oneOf } from './parse-options.ts';
import { UsageError } from './usage-error.ts';

type CacheFrom = NonNullable<BuildRequest['cacheFrom']>[number];
type CacheTo = NonNullable<BuildRequest['cacheTo']>[number];

const TYPES = ['registry', 'local'] as const;

/** `--cache-from`: `type=registry,ref=NAME`, `type=local,src=FOLDER[,tag=TAG]`; a name alone is one of a registry. */
export function parseCacheFrom(text: string, cwd: string): CacheFrom {
  return locationOf('--cache-from', text, cwd, { folder: 'src', more: [] }).location;
}

/** `--cache-to`: the same with `dest` for `src`, `mode=min|max` and `compression=none|gzip|zstd`. */
export function parseCacheTo(text: string, cwd: string): CacheTo {
  const how = { folder: 'dest', more: ['mode', 'compression'] };
  const { location, fields } = locationOf('--cache-to', text, cwd, how);
  const mode = fields.get('mode');
  const compression = fields.get('compression');
  return {
    ...location,
    ...(mode === undefined ? {} : { mode: oneOf('--cache-to mode', mode, ['min', 'max']) }),
    ...(compression === undefined
      ? {}
      : { compression: oneOf('--cache-to compression', compression, ['none', 'gzip', 'zstd']) }),
  };
}

function locationOf(
  flag: string,
  text: string,
  cwd: string,
  { folder, more }: { readonly folder: string; readonly more: readonly string[] },
): { readonly location: CacheFrom; readonly fields: ReadonlyMap<string, string> } {
  // As with docker, a name alone.
  const fields = fieldsOf(flag, text.includes('=') ? text : `type=registry,ref=${text}`);
  const type = oneOf(`${flag} type`, fields.get('type') ?? 'registry', TYPES);
  const known = ['type', ...more, ...(type === 'registry' ? ['ref'] : [folder, 'tag'])];
  for (const name of fields.keys()) {
    if (known.includes(name)) continue;
    const suggestion = suggest(name, known);
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
