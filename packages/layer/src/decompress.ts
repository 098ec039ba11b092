import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { errorCode } from '@caisson/sys';
import { LayerError } from './errors.ts';
import { ZstdFrames, type FramePart } from './zstd-frames.ts';

const CHUNK_SIZE = 256 * 1024;

/**
 * The tar in a stream that may be compressed. The first bytes decide, as in every other builder: media types are
 * known to lie.
 */
export async function* decompressed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { head, rest } = await splitHead(source);
  if (isGzip(head)) yield* through(rest, createGunzip({ chunkSize: CHUNK_SIZE }));
  else if (startsWith(head, ZSTD) || isSkippable(head)) yield* throughZstd(rest);
  else yield* rest;
}

/** Each frame has a decompressor of its own: that of Node ends with the first. */
async function* throughZstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const parts = frameParts(source);
  for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
    yield* through(restOfFrame(next.value, parts), createZstdDecompress({ chunkSize: CHUNK_SIZE }));
  }
}

async function* frameParts(source: AsyncIterable<Uint8Array>): AsyncGenerator<FramePart> {
  const frames = new ZstdFrames();
  for await (const chunk of source) yield* frames.parts(chunk);
}

async function* restOfFrame(first: FramePart, parts: AsyncGenerator<FramePart>): AsyncGenerator<Uint8Array> {
  for (let part = first; ;) {
    yield part.bytes;
    if (part.isLast) return;
    const next = await parts.next();
    if (next.done === true) return; // cut off: the decompressor says so
    part = next.value;
  }
}

/** The bytes of a stream as a decompressor gives them. */
async function* through(
  source: AsyncIterable<Uint8Array>,
  decompressor: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>,
): AsyncGenerator<Uint8Array> {
  const running = pipeline(Readable.from(source, { objectMode: false }), decompressor).catch(() => {
    // The consumer below meets the same error.
  });
  try {
    for await (const chunk of decompressor) yield asBytes(chunk);
  } catch (cause) {
    if (!isZlibError(cause)) throw cause;
    throw new LayerError('invalid-compression', whatIsWrong(cause), { cause });
  } finally {
    decompressor.destroy();
    await running;
  }
}

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

/** Some writers of zstd that use several cores begin with a frame that readers skip. */
function isSkippable(head: Uint8Array): boolean {
  return ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
}
const HEAD_LENGTH = 4;

/** Whether a stream that begins so is gzip. */
export function isGzip(head: Uint8Array): boolean {
  return startsWith(head, GZIP);
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => head[index] === byte);
}

/** The first four bytes of a stream, and the whole stream. */
export async function splitHead(
  source: AsyncIterable<Uint8Array>,
): Promise<{ head: Uint8Array; rest: AsyncGenerator<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let length = 0;
  while (length < HEAD_LENGTH) {
    const next = await iterator.next();
    if (next.done === true) break;
    first.push(next.value);
    length += next.value.length;
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    try {
      yield* first;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
        yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head: Buffer.concat(first), rest: whole() };
}

function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new Error('Internal error: a decompressor gave something else than bytes');
}

function whatIsWrong(error: Error): string {
  return errorCode(error) === 'ZSTD_error_frameParameter_windowTooLarge'
    ? 'to decompress it takes a window of more than 128 MB (zstd --long)'
    : `the compressed bytes are damaged: ${error.message}`;
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && /^(?:Z_|ZSTD_|ERR_)/.test(errorCode(error) ?? '');
}
