import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { NO_RULES } from '../context/ignore-rules.ts';
import { LocalContext } from '../context/local-context.ts';
import { NO_MEMORY } from '../context/stat-cache.ts';
import { KeyParts } from '../solve/key-parts.ts';
import { selectSource } from './select-sources.ts';
import { selectionDigest } from './selection-digest.ts';

vi.mock(import('node:fs'), { spy: true });

const folder = mkdtempSync(join(tmpdir(), 'caisson-slices-'));
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test('a walk of many folders gives way to others, and ends when it is told to', async () => {
  for (let index = 0; index < 100; index++) {
    mkdirSync(join(folder, `${index}`));
    writeFileSync(join(folder, `${index}/file`), '');
  }
  // Each look at the clock finds that much time has gone by.
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 1000));
  const context = new LocalContext('the test', folder, NO_RULES, NO_MEMORY);
  const found = selectSource(context, '.', {});
  if (!found.ok) throw new Error('there is nothing');
  const abort = new AbortController();
  const walk = selectionDigest(context, found.value, new KeyParts(), abort.signal);
  setImmediate(() => abort.abort());
  vi.mocked(readdirSync).mockClear();
  await expect(walk).rejects.toMatchObject({ name: 'AbortError' });
  expect(vi.mocked(readdirSync).mock.calls.length).toBeLessThan(10);
});
