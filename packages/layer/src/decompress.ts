import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { LayerError } from './errors.ts';

const CHUNK_SIZE = 256 * 1024;

/**
 * The tar in a stream that may be compressed. The first bytes decide, as in every other builder: media types are
 * known to lie.
 */
export async function* decompressed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { head, rest } = await splitHead(source);
  const decompressor = decompressorFor(head);
  if (decompressor === undefined) {
    yield* rest;
    return;
  }
  const running = pipeline(Readable.from(rest, { objectMode: false }), decompressor).catch(() => {
    // The consumer below meets the same error.
  });
  try {
    for await (const chunk of decompressor) yield asBytes(chunk);
  } catch (cause) {
    if (isZlibError(cause)) {
      throw new LayerError('invalid-compression', `the compressed bytes are damaged: ${cause.message}`, {
        cause,
      });
    }
    throw cause;
  } finally {
    decompressor.destroy();
    await running;
  }
}

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const HEAD_LENGTH = 4;

function decompressorFor(head: Uint8Array) {
  if (GZIP.every((byte, index) => head[index] === byte)) return createGunzip({ chunkSize: CHUNK_SIZE });
  if (ZSTD.every((byte, index) => head[index] === byte))
    return createZstdDecompress({ chunkSize: CHUNK_SIZE });
  return undefined;
}

/** The first four bytes of a stream, and the whole stream. */
async function splitHead(
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

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^(?:Z_|ZSTD_|ERR_)/.test(String(error.code));
}
