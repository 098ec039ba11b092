import { resolve } from 'node:path';
import type { OutputRequest } from '@caisson/builder';
import type { Compression } from '@caisson/oci';
import type { BuildFlags } from './build-options.ts';
import { checkFixedKeys, type FixedKeys } from './fixed-keys.ts';
import { parseTags } from './image-names.ts';
import { parseCompression } from './parse-compression.ts';
import { oneOf, unknownKey } from './parse-options.ts';
import { UsageError } from './usage-error.ts';

/** Where an image goes. */
export interface Destinations {
  readonly outputs: readonly OutputRequest[];
  /** All its names: those of `-t`, and those that outputs have. */
  readonly names: readonly string[];
  readonly push: boolean;
  readonly pushCompression: Compression | undefined;
  /** Whether it is in the store in any case. */
  readonly isLoaded: boolean;
}

/** @param flags those that write to the standard output */
function checkStandardOutput(flags: readonly string[]): void {
  if (flags.length < 2) return;
  throw new UsageError(`only one of ${flags.join(' and ')} can write to the standard output`);
}

/**
 * What `-t`, `-o`, `--push` and `--load` say, as docker takes them. Paths are seen from `cwd`.
 * @param platforms what is built for: of several images, what is pushed as `type=image` is nowhere else
 * @throws UsageError
 */
export function parseDestinations(
  flags: Pick<BuildFlags, 'tag' | 'output' | 'push' | 'load' | 'quiet'>,
  cwd: string,
  platforms: readonly string[] = [],
): Destinations {
  const isOne = new Set(platforms).size < 2;
  const parsed = flags.output.map((text) => parseOutput(text, cwd));
  const images = parsed.flatMap((each) => ('names' in each ? [each] : []));
  const outputs = parsed.flatMap((each) => ('names' in each ? [] : [each]));
  checkStandardOutput([
    ...(flags.quiet === true ? ['-q'] : []),
    ...outputs.flatMap(({ type, destination }) => (destination === '-' ? [`-o type=${type},dest=-`] : [])),
  ]);
  const names = [...new Set([...parseTags(flags.tag), ...images.flatMap((image) => image.names)])];
  const push = flags.push === true || images.some((image) => image.push);
  if (push && names.length === 0)
    throw new UsageError('--push needs a name to push to', { expected: '-t REGISTRY/NAME[:TAG]' });
  return {
    outputs,
    names,
    push,
    pushCompression: pushCompressionOf(images),
    isLoaded:
      flags.load === true || images.some(({ isLoaded, push: isPushed }) => isLoaded && (isOne || !isPushed)),
  };
}

/** All names are pushed alike. What is not pushed lies in the store uncompressed, whatever is said. */
function pushCompressionOf(images: readonly ImageOutput[]): Compression | undefined {
  const [first, ...others] = images.filter((image) => image.push || image.compression !== undefined);
  if (first === undefined) return undefined;
  const where = `--output ${JSON.stringify(first.text)}`;
  const other = others.find(({ compression }) => compression !== first.compression);
  if (other === undefined) return first.compression;
  throw new UsageError(`${where} and ${JSON.stringify(other.text)} compress in different ways`, {
    expected: 'the same compression wherever the image is pushed to',
  });
}

/** `type=image` and `type=registry`: no place of its own, but what becomes of the image itself. */
interface ImageOutput {
  readonly text: string;
  readonly compression: Compression | undefined;
  readonly names: readonly string[];
  readonly push: boolean;
  readonly isLoaded: boolean;
}

const TYPES = ['oci', 'docker', 'tar', 'local', 'image', 'registry'] as const;
const FIXED: FixedKeys = {
  'oci-mediatypes': { value: 'true', why: 'an image has the media types of OCI' },
  'force-compression': { value: 'false', why: 'layers of base images stay as they are' },
  'rewrite-timestamp': { value: 'true', why: 'no time is later than SOURCE_DATE_EPOCH' },
};
const FILE_KEYS = ['type', 'dest', 'tar'];
const LAYOUT_KEYS = [...FILE_KEYS, 'compression', ...Object.keys(FIXED)];
const IMAGE_KEYS = ['type', 'name', 'push', 'compression', ...Object.keys(FIXED)];
const FORM =
  'type=oci|docker|tar|local,dest=PATH or type=image|registry,name=NAME; compression=gzip|zstd|none of all but files; a path alone is a folder for the files; - is a tar of them';

/** One `-o`. @throws UsageError */
export function parseOutput(text: string, cwd: string): OutputRequest | ImageOutput {
  if (text === '-') return { type: 'tar', destination: '-' };
  if (!text.includes('=')) return { type: 'local', destination: resolve(cwd, text) };
  const fields = fieldsOf(text);
  const type = oneOf('--output type', fields.get('type') ?? '', TYPES);
  checkFixedKeys('--output', text, fields, FIXED);
  const given = fields.get('compression');
  const compression = given === undefined ? undefined : parseCompression('--output compression', given);
  if (type === 'image' || type === 'registry') {
    checkKeys(text, fields, IMAGE_KEYS);
    const name = fields.get('name');
    const push = oneOf('--output push', fields.get('push') ?? 'false', ['true', 'false']) === 'true';
    const names = name === undefined ? [] : parseTags([name]);
    return { text, names, push: push || type === 'registry', isLoaded: type === 'image', compression };
  }
  const isLayout = type === 'oci' || type === 'docker';
  checkKeys(text, fields, isLayout ? LAYOUT_KEYS : FILE_KEYS);
  const dest = fields.get('dest') ?? (type === 'local' ? '' : '-');
  if (dest === '')
    throw new UsageError(`--output ${JSON.stringify(text)} does not say where to`, { expected: FORM });
  if (dest === '-') {
    if (isLayout) return { type, destination: '-', compression };
    if (type === 'tar') return { type, destination: '-' };
    throw new UsageError('--output type=local writes a folder, not the standard output', { expected: FORM });
  }
  if (!isLayout) return { type, destination: resolve(cwd, dest) };
  const isFolder = dest.endsWith('/') || fields.get('tar') === 'false';
  return { type, destination: `${resolve(cwd, dest)}${isFolder && type === 'oci' ? '/' : ''}`, compression };
}

function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of text.split(',')) {
    const equals = field.indexOf('=');
    if (equals === -1) throw unknownKey('--output', text, field, { keys: FILE_KEYS, form: FORM });
    fields.set(field.slice(0, equals), field.slice(equals + 1));
  }
  return fields;
}

function checkKeys(text: string, fields: ReadonlyMap<string, string>, keys: readonly string[]): void {
  for (const key of fields.keys()) {
    if (!keys.includes(key)) throw unknownKey('--output', text, key, { keys, form: FORM });
  }
}
