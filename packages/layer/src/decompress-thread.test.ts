import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeEach, expect, test, vi } from 'vitest';
import { Digester } from '@caisson/oci';
import { BLOCK_SIZE } from './block-ring.ts';
import { DecompressThread } from './decompress-thread.ts';

beforeEach(() => vi.stubEnv('PATH', '')); // what another program does for it: gzip-program.test.ts

/** More than lies between the two threads at any time. */
const PLAIN = Buffer.concat([randomBytes(7_000_001), Buffer.alloc(5_000_000, 'x')]);

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(source: AsyncIterable<Uint8Array>): Promise<{ bytes: Buffer; sum: unknown }> {
  await using thread = new DecompressThread(source);
  const pieces: Buffer[] = [];
  for await (const piece of thread.pieces()) pieces.push(Buffer.from(piece));
  return { sum: await thread.sum(), bytes: Buffer.concat(pieces) };
}

function digestOf(bytes: Uint8Array): string {
  const digester = new Digester();
  digester.update(bytes);
  return digester.digest();
}

test.each([
  ['gzip', gzipSync(PLAIN)],
  ['several members of gzip', Buffer.concat([gzipSync(PLAIN.subarray(0, 10)), gzipSync(PLAIN.subarray(10))])],
  ['zstd', zstdCompressSync(PLAIN)],
  ['nothing at all', PLAIN],
])('gives what is in %s, and its digest', async (_what, source) => {
  for (const size of [100_000, 3_000_000]) {
    const { bytes, sum } = await read(inPieces(source, size));
    expect(bytes.equals(PLAIN)).toBe(true);
    expect(sum).toEqual({ digest: digestOf(PLAIN), size: PLAIN.length });
  }
});

test('keeps all for who begins to read late', async () => {
  const plain = randomBytes(8 * BLOCK_SIZE); // the thread is through with it before
  await using thread = new DecompressThread(inPieces(plain, BLOCK_SIZE));
  await sleep(500);
  const pieces: Buffer[] = [];
  for await (const piece of thread.pieces()) pieces.push(Buffer.from(piece));
  expect(Buffer.concat(pieces).equals(plain)).toBe(true);
});

test('gives nothing of nothing', async () => {
  expect(await read(inPieces(Buffer.alloc(0), 1))).toEqual({
    bytes: Buffer.alloc(0),
    sum: { digest: digestOf(Buffer.alloc(0)), size: 0 },
  });
});

test('says what is wrong with damaged bytes', async () => {
  const whole = gzipSync(PLAIN);
  await expect(read(inPieces(whole.subarray(0, 5_000_000), 1 << 20))).rejects.toMatchObject({
    name: 'LayerError',
    code: 'invalid-compression',
    message: 'the compressed bytes are damaged: unexpected end of file',
  });
});

async function* cutOff(): AsyncGenerator<Uint8Array> {
  yield* inPieces(gzipSync(PLAIN).subarray(0, 3_000_000), 1 << 20);
  throw new Error('the line is cut');
}

test('throws what the source throws', async () => {
  await expect(read(cutOff())).rejects.toThrow('the line is cut');
});

test('who stops reading ends the source and the thread', async () => {
  const closed = Promise.withResolvers<string>();
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.alloc(1 << 20);
    } finally {
      closed.resolve('closed');
    }
  }
  const stop = async (): Promise<void> => {
    await using thread = new DecompressThread(source());
    for await (const _piece of thread.pieces()) throw new Error('enough');
  };
  await expect(stop()).rejects.toThrow('enough');
  expect(await closed.promise).toBe('closed');
});
