import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '@caisson/oci';
import type { KnownFile } from '@caisson/store';
import { afterAll, describe, expect, test } from 'vitest';
import { StatCache, type FileMemory } from './stat-cache.ts';

const folder = mkdtempSync(join(tmpdir(), 'caisson-stat-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'a'), 'one');
const stats = lstatSync(join(folder, 'a'), { bigint: true });
const SECOND = 1_000_000_000n;
/** A file that changed in the middle of a second; and one of a file system whose times are whole seconds. */
const fine = { ...stats, ctimeNs: 1_700_000_000n * SECOND + 5n };
const coarse = { ...stats, ctimeNs: 1_700_000_000n * SECOND };
const DIGEST = digestOf('one');

/** What a later build knows of a file that was read so long after its last change. */
function knownLater(at: typeof stats, after: bigint): KnownFile | undefined {
  const kept = new Map<string, KnownFile>();
  const memory: FileMemory = {
    files: () => new Map(),
    rememberFiles: (_root, files) => files.forEach((file, path) => kept.set(path, file)),
  };
  const cache = new StatCache(folder, memory);
  cache.learn('a', at, DIGEST, at.ctimeNs + after);
  expect(cache.get('a', at)).toBe(DIGEST);
  cache.save();
  return kept.get('a');
}

describe('the stat cache', () => {
  test('keeps for later builds only what rested when it was read: two writes within a tick look the same', () => {
    expect(knownLater(fine, 0n)).toBeUndefined();
    expect(knownLater(fine, SECOND / 50n)).toBeUndefined();
    expect(knownLater(fine, SECOND)?.digest).toBe(DIGEST);
    expect(knownLater(coarse, SECOND)).toBeUndefined();
    expect(knownLater(coarse, 3n * SECOND)?.digest).toBe(DIGEST);
    // The clock went back: nothing can be said.
    expect(knownLater(fine, -SECOND)).toBeUndefined();
  });

  test.each(['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const)(
    'does not know a file with another %s',
    (field) => {
      const file: KnownFile = { stat: '', digest: DIGEST };
      const kept = new Map([['a', file]]);
      const first = new StatCache(folder, {
        files: () => new Map(),
        rememberFiles: (_root, files) => files.forEach((each, path) => kept.set(path, each)),
      });
      first.learn('a', fine, DIGEST, fine.ctimeNs + SECOND);
      first.save();
      const later = new StatCache(folder, { files: () => kept, rememberFiles: () => {} });
      expect(later.get('a', fine)).toBe(DIGEST);
      expect(later.get('a', { ...fine, [field]: fine[field] + 1n })).toBeUndefined();
    },
  );
});
