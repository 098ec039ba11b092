import { buffer } from 'node:stream/consumers';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decompressed } from './decompress.ts';

/** Bytes that come in pieces of a size. */
function* inPieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* asStream(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

function read(bytes: Uint8Array, size = 1000): Promise<Buffer> {
  return buffer(decompressed(asStream(inPieces(bytes, size))));
}

/** A frame that readers skip. */
function skippable(length: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50 + (length % 16), 0);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, Buffer.alloc(length, 'x')]);
}

function zstd(bytes: Uint8Array, hasChecksum: boolean): Buffer {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: hasChecksum ? 1 : 0 } });
}

const contents = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc
    .record({ byte: fc.nat(255), length: fc.nat(400_000) })
    .map(({ byte, length }) => Buffer.alloc(length, byte)),
);

test('any number of frames and members is one stream, however it comes in pieces', async () => {
  const member = fc.record({ content: contents, hasChecksum: fc.boolean(), skipped: fc.option(fc.nat(300)) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(member, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 100_000 }),
      async (members, size) => {
        const whole = Buffer.concat(members.map(({ content }) => content));
        const frames = members.flatMap(({ content, hasChecksum, skipped }) => [
          zstd(content, hasChecksum),
          ...(skipped === null ? [] : [skippable(skipped)]),
        ]);
        expect((await read(Buffer.concat(frames), size)).equals(whole)).toBe(true);
        const gzip = members.map(({ content }) => gzipSync(content));
        expect((await read(Buffer.concat(gzip), size)).equals(whole)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test('a frame that is cut off, or followed by something else, is damage', async () => {
  const frame = zstd(Buffer.from('some bytes'.repeat(100)), true);
  await expect(read(frame.subarray(0, -3))).rejects.toThrow('the compressed bytes are damaged: ');
  await expect(read(Buffer.concat([frame, Buffer.from('more')]))).rejects.toThrow(
    'the compressed bytes are damaged: no frame where one should begin',
  );
});

test('a frame that takes a larger window than is given is told as that', async () => {
  const window = (31 - 10) << 3; // of 2 GiB
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, window, 1, 0, 0]);
  await expect(read(frame)).rejects.toThrow(
    'to decompress it takes a window of more than 128 MB (zstd --long)',
  );
});

test.each([0, 1, 15, 16])('zstd may begin with a frame that readers skip (of %i bytes)', async (length) => {
  const bytes = Buffer.from('some bytes'.repeat(100));
  expect(await read(Buffer.concat([skippable(length), zstd(bytes, true)]), 3)).toEqual(bytes);
});
