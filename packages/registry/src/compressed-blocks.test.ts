import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { compressedBlocks, settingOf } from './compressed-blocks.ts';

/** Twenty million bytes that are no two blocks alike. */
const WHOLE = Buffer.concat(
  Array.from({ length: 20 }, (_, number) =>
    Buffer.alloc(1_000_000, createHash('sha256').update(String(number)).digest('hex')),
  ),
);

async function* inChunks(size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < WHOLE.length; at += size) yield WHOLE.subarray(at, at + size);
}

function compressed(compressor: 'gzip' | 'zstd', size: number, ahead: number): Promise<Buffer> {
  return buffer(compressedBlocks(inChunks(size), compressor, ahead));
}

test.each(['gzip', 'zstd'] as const)(
  '%s gives the same bytes however much is done at once',
  async (compressor) => {
    const alone = await compressed(compressor, 1 << 20, 1);
    const beside = await compressed(compressor, 77_777, 9);
    expect(alone.equals(beside)).toBe(true);
    if (compressor === 'gzip') expect(gunzipSync(alone).equals(WHOLE)).toBe(true);
  },
);

async function* broken(): AsyncGenerator<Uint8Array> {
  yield* inChunks(9_000_000);
  throw new Error('the disk is gone');
}

test('an error of the source is told', async () => {
  await expect(buffer(compressedBlocks(broken(), 'gzip'))).rejects.toThrow('the disk is gone');
});

test('what a setting is called says all that the bytes depend on', () => {
  expect(settingOf('gzip')).toMatch(/^gzip:5 zlib:\S+ blocks:8388608$/);
  expect(settingOf('zstd')).toMatch(/^zstd:3 zstd:\S+ blocks:8388608$/);
});
