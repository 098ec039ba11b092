import type { Time } from '@caisson/sys';
import { LayerError } from './errors.ts';
import { sparseRecords, type SparseRecords } from './sparse-map.ts';

/** The records of a pax extended header that say something of an entry. Names and values are bytes. */
export interface PaxRecords {
  readonly path?: string;
  readonly linkPath?: string;
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: Time;
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
  readonly sparse?: SparseRecords;
}

const XATTR_PREFIX = 'SCHILY.xattr.';
const SPARSE_PREFIX = 'GNU.sparse.';

/**
 * Reads a pax extended header. Values stay bytes: a library that decodes them as UTF-8 destroys file capabilities.
 * Records that say nothing of what layers keep are passed over.
 */
export function parsePaxRecords(body: Buffer): PaxRecords {
  const found: { -readonly [K in keyof PaxRecords]: PaxRecords[K] } = {};
  const xattrs = new Map<string, Uint8Array>();
  const ofSparse: [string, string][] = [];
  for (const [keyword, value] of records(body)) {
    if (keyword.startsWith(XATTR_PREFIX)) {
      xattrs.set(keyword.slice(XATTR_PREFIX.length), value);
      continue;
    }
    const text = value.toString('latin1');
    if (keyword.startsWith(SPARSE_PREFIX)) ofSparse.push([keyword.slice(SPARSE_PREFIX.length), text]);
    switch (keyword) {
      case 'path':
        found.path = name(text);
        break;
      case 'linkpath':
        found.linkPath = name(text);
        break;
      case 'size':
        found.size = wholeNumber(keyword, text);
        break;
      case 'uid':
        found.uid = wholeNumber(keyword, text);
        break;
      case 'gid':
        found.gid = wholeNumber(keyword, text);
        break;
      case 'mtime':
        found.mtime = time(text);
        break;
      default:
        break;
    }
  }
  const sparse = ofSparse.length === 0 ? undefined : sparseRecords(ofSparse);
  return {
    ...found,
    ...(xattrs.size === 0 ? {} : { xattrs }),
    ...(sparse === undefined ? {} : { sparse }),
  };
}

function* records(body: Buffer): Generator<[string, Buffer]> {
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const length = space === -1 ? NaN : Number(body.toString('latin1', at, space));
    const end = at + length;
    if (!Number.isSafeInteger(length) || end > body.length || end <= space + 1 || body[end - 1] !== 0x0a) {
      throw new LayerError('invalid-archive', 'a pax header of the archive is damaged');
    }
    const equals = body.indexOf(0x3d, space);
    if (equals === -1 || equals >= end)
      throw new LayerError('invalid-archive', 'a pax header of the archive is damaged');
    yield [body.toString('latin1', space + 1, equals), body.subarray(equals + 1, end - 1)];
    at = end;
  }
}

function name(text: string): string {
  if (text.includes('\u0000')) throw new LayerError('invalid-archive', 'a name in the archive holds a NUL');
  return text;
}

function wholeNumber(keyword: string, text: string): number {
  const value = Number(text);
  if (!/^\d{1,19}$/.test(text) || !Number.isSafeInteger(value)) {
    throw new LayerError(
      'invalid-archive',
      `a pax header of the archive has an impossible ${keyword}: ${JSON.stringify(text.slice(0, 40))}`,
    );
  }
  return value;
}

function time(text: string): Time {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (match === null) {
    throw new LayerError(
      'invalid-archive',
      `a pax header of the archive has an impossible mtime: ${JSON.stringify(text.slice(0, 40))}`,
    );
  }
  const whole = Number(match[2]);
  const nanoseconds = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (match[1] !== '-') return { seconds: whole, nanoseconds };
  return nanoseconds === 0
    ? { seconds: -whole, nanoseconds: 0 }
    : { seconds: -whole - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}
