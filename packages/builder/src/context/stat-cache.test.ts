import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanPath, ROOT } from '@caisson/layer';
import { digestOf } from '@caisson/oci';
import type { KnownFile } from '@caisson/store';
import { afterAll, describe, expect, test } from 'vitest';
import { fileStat, StatCache, type FileMemory } from './stat-cache.ts';

const folder = mkdtempSync(join(tmpdir(), 'caisson-stat-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'a'), 'one');
const stats = lstatSync(join(folder, 'a'), { bigint: true });
const SECOND = 1_000_000_000n;
/** A file that changed in the middle of a second; and one of a file system whose times are whole seconds. */
const fine = { ...stats, ctimeNs: 1_700_000_000n * SECOND + 5n };
const coarse = { ...stats, ctimeNs: 1_700_000_000n * SECOND };
const DIGEST = digestOf('one');

const PATH = cleanPath('a');

type Files = ReadonlyMap<string, KnownFile>;

/** What is kept of a file that was read so long after its last change. */
function kept(at: typeof stats, after: bigint): Files {
  let files: Files = new Map();
  const memory: FileMemory = {
    files: () => new Map(),
    rememberFiles: (_root, folders) => {
      files = folders.get(ROOT) ?? files;
    },
  };
  const cache = new StatCache(folder, memory);
  cache.learn(PATH, fileStat(at), DIGEST, at.ctimeNs + after);
  cache.save();
  return files;
}

describe('the stat cache', () => {
  test('keeps for later builds only what rested when it was read: two writes within a tick look the same', () => {
    expect(kept(fine, 0n).size).toBe(0);
    expect(kept(fine, SECOND / 50n).size).toBe(0);
    expect(kept(fine, SECOND).get('a')?.digest).toBe(DIGEST);
    expect(kept(coarse, SECOND).size).toBe(0);
    expect(kept(coarse, 3n * SECOND).get('a')?.digest).toBe(DIGEST);
    // The clock went back: nothing can be said.
    expect(kept(fine, -SECOND).size).toBe(0);
  });

  test.each(['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const)(
    'does not know a file with another %s',
    (field) => {
      const later = new StatCache(folder, { files: () => kept(fine, SECOND), rememberFiles: () => {} });
      expect(later.get(PATH, fileStat(fine))).toBe(DIGEST);
      expect(later.get(PATH, fileStat({ ...fine, [field]: fine[field] + 1n }))).toBeUndefined();
    },
  );

  test('knows in the same process what it learned, kept or not, and forgets what is gone', () => {
    const cache = new StatCache(folder, { files: () => new Map(), rememberFiles: () => {} });
    const stat = fileStat(fine);
    cache.learn(PATH, stat, DIGEST, fine.ctimeNs + SECOND);
    expect(cache.get(PATH, stat)).toBe(DIGEST);
    cache.save();
    expect(cache.get(PATH, stat)).toBe(DIGEST);
    cache.forget(PATH);
    expect(cache.get(PATH, stat)).toBeUndefined();
  });
});
