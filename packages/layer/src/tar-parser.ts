import type { Time } from '@caisson/sys';
import { LayerError } from './errors.ts';
import { parsePaxRecords, type PaxRecords } from './pax-records.ts';
import { SparseContent, type SparseTarget } from './sparse-map.ts';
import { BLOCK, type TarFields } from './tar-header.ts';

/** What a parser tells of an archive: an entry, its bytes in order, its end. */
export interface TarHandler extends SparseTarget {
  /** @param offset where its bytes begin in the archive; undefined where they do not lie there one after another */
  entry(fields: TarFields, offset: number | undefined): void;
  end(): void;
}

/** No name, pax header or GNU long name is longer than this, in bytes. */
const MAX_HEADER_BODY = 1 << 20;

type State =
  | { readonly at: 'header' }
  /** The bytes of a file, then padding. */
  | {
      readonly at: 'data';
      readonly sparse: SparseContent | undefined;
      left: number;
      padding: number;
    }
  /** The body of a header that speaks of the next entry. */
  | {
      readonly at: 'extension';
      readonly flag: string;
      readonly chunks: Buffer[];
      left: number;
      padding: number;
    }
  | { readonly at: 'end' };

/**
 * Reads a tar stream (v7, ustar, pax, GNU) as it comes, in constant memory. Names are bytes. What readers are known to
 * disagree on is an error: a wrong checksum, GNU's older sparse entries, unknown types, impossible numbers.
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
 */
export class TarParser {
  readonly #handler: TarHandler;
  #state: State = { at: 'header' };
  /** The head of a block of which the rest has not come yet. */
  #partial: Buffer = Buffer.alloc(0);
  #zeroBlocks = 0;
  /** Up to the end of the header or body that is read. */
  #blocks = 0;
  #pax: PaxRecords = {};
  #longName: string | undefined;
  #longLink: string | undefined;

  constructor(handler: TarHandler) {
    this.#handler = handler;
  }

  /** Takes the next bytes. They are not kept after the call, except in what the handler keeps. */
  push(input: Uint8Array): void {
    let chunk = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
    while (chunk.length > 0) {
      switch (this.#state.at) {
        case 'end':
          return; // padding after the end marker belongs to the stream's digest, not to the archive
        case 'header':
          chunk = this.#takeHeader(chunk);
          break;
        case 'data':
        case 'extension':
          chunk = this.#takeBody(this.#state, chunk);
          break;
      }
    }
  }

  /** Ends the stream. An archive that stops in the middle of an entry is an error; what only fills its last block may be missing. */
  finish(): void {
    const { at } = this.#state;
    if (this.#state.at === 'data' && this.#state.left === 0) this.#endOf(this.#state);
    else if (at !== 'end' && (at !== 'header' || this.#partial.length > 0))
      throw new LayerError('invalid-archive', 'the archive ends in the middle of an entry');
  }

  #takeHeader(chunk: Buffer): Buffer {
    let block = chunk;
    let used = BLOCK;
    if (this.#partial.length > 0 || chunk.length < BLOCK) {
      used = Math.min(BLOCK - this.#partial.length, chunk.length);
      this.#partial = Buffer.concat([this.#partial, chunk.subarray(0, used)]);
      if (this.#partial.length < BLOCK) return chunk.subarray(used);
      block = this.#partial;
      this.#partial = Buffer.alloc(0);
    }
    this.#header(block.subarray(0, BLOCK));
    return chunk.subarray(used);
  }

  #header(block: Buffer): void {
    this.#blocks++;
    if (isZero(block)) {
      this.#zeroBlocks++;
      if (this.#zeroBlocks === 2) this.#state = { at: 'end' };
      return;
    }
    if (this.#zeroBlocks === 1)
      throw new LayerError('invalid-archive', 'the archive has a single block of zeros between entries');
    const flag = typeFlag(block);
    const size = number(block, 124, 12, 'size');
    if (flag === 'x' || flag === 'L' || flag === 'K' || flag === 'g') {
      if (size > MAX_HEADER_BODY) {
        throw new LayerError(
          'invalid-archive',
          `a header of the archive is ${size} bytes long: at most ${MAX_HEADER_BODY} are read`,
        );
      }
      this.#state = { at: 'extension', flag, chunks: [], left: size, padding: padding(size) };
      this.#blocks += blocksOf(size);
      this.#afterBody();
      return;
    }
    const fields = this.#fields(block, flag, size);
    const isFile = fields.type === 'file';
    const sparse =
      isFile && this.#pax.sparse !== undefined
        ? new SparseContent(this.#pax.sparse, this.#handler)
        : undefined;
    // Only a regular file has bytes; other types may state a size and have none.
    const left = isFile ? (this.#pax.size ?? size) : 0;
    this.#pax = {};
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#handler.entry(fields, sparse === undefined ? this.#blocks * BLOCK : undefined);
    this.#state = { at: 'data', sparse, left, padding: padding(left) };
    this.#blocks += blocksOf(left);
    this.#afterBody();
  }

  #takeBody(state: Extract<State, { left: number }>, chunk: Buffer): Buffer {
    const body = chunk.subarray(0, state.left);
    if (body.length > 0) {
      if (state.at === 'extension') state.chunks.push(Buffer.from(body));
      else if (state.sparse === undefined) this.#handler.data(body);
      else state.sparse.push(body);
      state.left -= body.length;
    }
    const skipped = Math.min(state.padding, chunk.length - body.length);
    if (state.left === 0) state.padding -= skipped;
    this.#afterBody();
    return chunk.subarray(body.length + (state.left === 0 ? skipped : 0));
  }

  /** Goes on to the next header where a body and its padding have been read. */
  #afterBody(): void {
    const state = this.#state;
    if ((state.at !== 'data' && state.at !== 'extension') || state.left > 0 || state.padding > 0) return;
    this.#state = { at: 'header' };
    if (state.at === 'data') this.#endOf(state);
    else this.#extension(state.flag, Buffer.concat(state.chunks));
  }

  #endOf({ sparse }: Extract<State, { at: 'data' }>): void {
    sparse?.finish();
    this.#handler.end();
  }

  #extension(flag: string, body: Buffer): void {
    if (flag === 'x') this.#pax = parsePaxRecords(body);
    if (flag === 'L') this.#longName = text(body, 0, body.length);
    if (flag === 'K') this.#longLink = text(body, 0, body.length);
    // A global header ('g') would speak of all entries that follow. Archives of git put a comment there; nothing in
    // it counts.
  }

  #fields(block: Buffer, flag: string, size: number): TarFields {
    const pax = this.#pax;
    const name = pax.sparse?.name ?? pax.path ?? this.#longName ?? ustarName(block);
    const type = entryType(flag, name);
    const linkName = pax.linkPath ?? this.#longLink ?? text(block, 157, 100);
    const device = type === 'char' || type === 'block';
    return {
      name,
      type,
      mode: number(block, 100, 8, 'mode') & 0o7777,
      uid: pax.uid ?? number(block, 108, 8, 'uid'),
      gid: pax.gid ?? number(block, 116, 8, 'gid'),
      size: type === 'file' ? (pax.sparse?.size ?? pax.size ?? size) : 0,
      mtime: pax.mtime ?? wholeSeconds(block),
      ...(type === 'hardlink' || type === 'symlink' ? { linkName } : {}),
      ...(device ? { major: number(block, 329, 8, 'device'), minor: number(block, 337, 8, 'device') } : {}),
      ...(pax.xattrs === undefined ? {} : { xattrs: pax.xattrs }),
    };
  }
}

function blocksOf(size: number): number {
  return Math.ceil(size / BLOCK);
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

/** The type flag of a header block whose checksum is right. */
function typeFlag(block: Buffer): string {
  let unsigned = 0;
  let signed = 0; // some old tars summed signed characters
  for (let at = 0; at < BLOCK; at++) {
    const byte = at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stated = number(block, 148, 8, 'checksum');
  if (stated !== unsigned && stated !== signed)
    throw new LayerError('invalid-archive', 'a header of the archive has a wrong checksum');
  return String.fromCharCode(block[156] ?? 0);
}

function entryType(flag: string, name: string): TarFields['type'] {
  switch (flag) {
    case '0':
    case '7':
      return 'file';
    case '\0':
      return name.endsWith('/') ? 'directory' : 'file'; // v7 had no type for folders
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '3':
      return 'char';
    case '4':
      return 'block';
    case '5':
      return 'directory';
    case '6':
      return 'fifo';
    case 'S':
      throw new LayerError('invalid-archive', 'sparse tar entries are not supported');
    default:
      throw new LayerError(
        'invalid-archive',
        `the archive holds an entry of the unknown type ${JSON.stringify(flag)}`,
      );
  }
}

function ustarName(block: Buffer): string {
  const name = text(block, 0, 100);
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\u0000';
  const prefix = isPosix ? text(block, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function text(block: Buffer, offset: number, length: number): string {
  const end = block.indexOf(0, offset);
  return block.toString('latin1', offset, end === -1 || end > offset + length ? offset + length : end);
}

/** A number of a header: octal digits, or base 256 where the first bit is set. */
function number(block: Buffer, offset: number, width: number, what: string): number {
  const first = block[offset] ?? 0;
  const value = (first & 0x80) === 0 ? octal(text(block, offset, width)) : base256(block, offset, width);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new LayerError('invalid-archive', `a header of the archive has an impossible ${what}`);
  }
  return value;
}

function octal(digits: string): number {
  const trimmed = digits.trim();
  if (trimmed === '') return 0;
  return /^[0-7]+$/.test(trimmed) ? Number.parseInt(trimmed, 8) : NaN;
}

function base256(block: Buffer, offset: number, width: number): number {
  if (((block[offset] ?? 0) & 0x40) !== 0) return NaN; // negative
  let value = BigInt((block[offset] ?? 0) & 0x7f);
  for (let at = offset + 1; at < offset + width; at++) value = (value << 8n) | BigInt(block[at] ?? 0);
  return Number(value);
}

/** The time of a header: whole seconds, in base 256 also before 1970. */
function wholeSeconds(block: Buffer): Time {
  const first = block[136] ?? 0;
  if ((first & 0xc0) !== 0xc0) return { seconds: number(block, 136, 12, 'mtime'), nanoseconds: 0 };
  const seconds = Number(block.readBigInt64BE(140));
  return { seconds: Number.isSafeInteger(seconds) ? seconds : 0, nanoseconds: 0 };
}
