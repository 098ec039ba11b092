import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyInBackground } from './copy-in-background.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-copy-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([0, 1, 4 << 20, (32 << 20) + 5])('a copy of %i bytes has them all', async (size) => {
  const [from, to] = [join(folder, 'from'), join(folder, 'to')];
  const bytes = Buffer.alloc(size, 'some bytes, ');
  writeFileSync(from, bytes);
  await copyInBackground(from, to, new AbortController().signal);
  expect(readFileSync(to).equals(bytes)).toBe(true);
});

test('it ends when it is told to', async () => {
  writeFileSync(join(folder, 'from'), 'bytes');
  const copy = copyInBackground(
    join(folder, 'from'),
    join(folder, 'to'),
    AbortSignal.abort(new Error('enough')),
  );
  await expect(copy).rejects.toThrow('enough');
});
