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

async function* inBlocks(memory: () => Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < WHOLE.length;) {
    const block = memory();
    const size = WHOLE.copy(block, 0, at);
    at += size;
    yield block.subarray(0, size);
  }
}

function compressed(compressor: 'gzip' | 'zstd', ahead: number): Promise<Buffer> {
  return buffer(compressedBlocks(inBlocks, compressor, ahead));
}

test.each(['gzip', 'zstd'] as const)(
  '%s gives the same bytes however much is done at once',
  async (compressor) => {
    const alone = await compressed(compressor, 1);
    const beside = await compressed(compressor, 9);
    expect(alone.equals(beside)).toBe(true);
    if (compressor === 'gzip') expect(gunzipSync(alone).equals(WHOLE)).toBe(true);
  },
);

async function* broken(memory: () => Buffer): AsyncGenerator<Buffer> {
  for await (const block of inBlocks(memory)) {
    yield block;
    break;
  }
  throw new Error('the disk is gone');
}

test('an error of the source is told', async () => {
  await expect(buffer(compressedBlocks(broken, 'gzip'))).rejects.toThrow('the disk is gone');
});

test('what a setting is called says all that the bytes depend on', () => {
  expect(settingOf('gzip')).toMatch(/^gzip:5 zlib:\S+ blocks:8388608$/);
  expect(settingOf('zstd')).toMatch(/^zstd:3 zstd:\S+ blocks:8388608$/);
});
