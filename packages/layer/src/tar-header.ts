import { isUtf8 } from 'node:buffer';
import type { Time } from '@caisson/sys';
import type { Xattrs } from './entry.ts';

export const BLOCK = 512;

/** The type flags of ustar and pax that layers are made of. */
export const TYPE_FLAG = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
  pax: 'x',
} as const;

/** What one tar entry says. Names are bytes, each a character. */
export interface TarFields {
  readonly name: string;
  readonly type: keyof Omit<typeof TYPE_FLAG, 'pax'>;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: Time;
  readonly linkName?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly xattrs?: Xattrs;
}

const NAME_LENGTH = 100;
/** Where the last field ends that is written here, in bytes. */
const USED = 345;
const MAX_OCTAL_7 = 0o7777777;
const MAX_OCTAL_11 = 0o77777777777;

/**
 * The header blocks of an entry: one in the ustar format, and before it a pax extended header where ustar cannot say
 * it all (long or non-ASCII names, large numbers, times with a fraction, extended attributes). The bytes are a
 * function of the fields.
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 (the formats)
 */
export function encodeHeader(fields: TarFields): Buffer {
  const records = paxRecords(fields);
  const header = ustarBlock(fields, TYPE_FLAG[fields.type], fields.name, fields.size);
  if (records.length === 0) return header;
  const body = Buffer.concat(records);
  const padded = Math.ceil(body.length / BLOCK) * BLOCK;
  const out = Buffer.alloc(BLOCK + padded + BLOCK);
  const attributes = {
    ...fields,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: { seconds: 0, nanoseconds: 0 },
    linkName: '',
  };
  ustarBlock({ ...attributes, type: 'file' }, TYPE_FLAG.pax, 'PaxHeaders/entry', body.length).copy(out, 0);
  body.copy(out, BLOCK);
  header.copy(out, BLOCK + padded);
  return out;
}

const ASCII = /^[\u0000-\u007f]*$/;

/** The pax records that an entry needs, in bytewise order of their keywords. */
function paxRecords(fields: TarFields): Buffer[] {
  const { name, linkName = '', uid, gid, size, mtime, xattrs } = fields;
  const values = new Map<string, Uint8Array>();
  for (const [attribute, value] of xattrs ?? []) values.set(`SCHILY.xattr.${attribute}`, value);
  if (gid > MAX_OCTAL_7) values.set('gid', ascii(String(gid)));
  if (needsPaxName(linkName)) values.set('linkpath', Buffer.from(linkName, 'latin1'));
  if (mtime.nanoseconds !== 0 || mtime.seconds < 0 || mtime.seconds > MAX_OCTAL_11) {
    values.set('mtime', ascii(paxTime(mtime)));
  }
  if (needsPaxName(name)) values.set('path', Buffer.from(name, 'latin1'));
  if (size > MAX_OCTAL_11) values.set('size', ascii(String(size)));
  if (uid > MAX_OCTAL_7) values.set('uid', ascii(String(uid)));
  const binary = [values.get('path'), values.get('linkpath')].some((v) => v !== undefined && !isUtf8(v));
  if (binary) values.set('hdrcharset', ascii('BINARY'));
  return [...values]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([keyword, value]) => paxRecord(keyword, value));
}

/** A name that is not UTF-8 goes into the ustar field as it is, where it fits: pax would call it UTF-8. */
function needsPaxName(name: string): boolean {
  if (name.length > NAME_LENGTH) return true;
  return !ASCII.test(name) && isUtf8(Buffer.from(name, 'latin1'));
}

function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** `<length> <keyword>=<value>\n`, where the length counts itself. */
function paxRecord(keyword: string, value: Uint8Array): Buffer {
  const rest = Buffer.byteLength(keyword) + value.length + 3; // the space, "=" and the newline
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return Buffer.concat([ascii(`${length} ${keyword}=`), value, ascii('\n')]);
}

/** Decimal seconds with as many digits of a fraction as there are. */
function paxTime({ seconds, nanoseconds }: Time): string {
  if (nanoseconds === 0) return String(seconds);
  if (seconds >= 0) return `${seconds}.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  // Counted forwards from `seconds`, written as a decimal number: -1 s and 250 ms is -0.75.
  const fraction = String(1_000_000_000 - nanoseconds)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `-${-(seconds + 1)}.${fraction}`;
}

function ustarBlock(fields: TarFields, flag: string, name: string, size: number): Buffer {
  const block = Buffer.allocUnsafe(BLOCK).fill(0); // from Node's pool: there is one for every file
  const { mode, uid, gid, mtime, linkName = '', major, minor } = fields;
  block.write(name.slice(0, NAME_LENGTH), 0, 'latin1');
  writeOctal(block, 100, 8, mode);
  writeOctal(block, 108, 8, uid > MAX_OCTAL_7 ? 0 : uid);
  writeOctal(block, 116, 8, gid > MAX_OCTAL_7 ? 0 : gid);
  writeOctal(block, 124, 12, size > MAX_OCTAL_11 ? 0 : size);
  writeOctal(block, 136, 12, Math.min(Math.max(mtime.seconds, 0), MAX_OCTAL_11));
  block.write('        ', 148, 'latin1'); // the checksum counts its own field as blanks
  block.write(flag, 156, 'latin1');
  block.write(linkName.slice(0, NAME_LENGTH), 157, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  if (major !== undefined && minor !== undefined) {
    writeOctal(block, 329, 8, major);
    writeOctal(block, 337, 8, minor);
  }
  let sum = 0;
  for (let at = 0; at < USED; at++) sum += block[at] ?? 0;
  writeOctal(block, 148, 7, sum);
  block[154] = 0; // the blank after it stays
  return block;
}

/** An octal number, padded with zeros, ended by a NUL: the block is made of those. */
function writeOctal(block: Buffer, offset: number, width: number, value: number): void {
  let rest = value;
  for (let at = offset + width - 2; at >= offset; at--) {
    block[at] = ZERO_DIGIT + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}

const ZERO_DIGIT = 0x30;
