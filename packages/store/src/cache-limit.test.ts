import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asDiffId, digestOf, hexOf, type Digest } from '@caisson/oci';
import { limitCache, type CacheFull } from './cache-limit.ts';
import { cacheUsage } from './measure.ts';
import { prune } from './prune.ts';
import { openStore, type Store } from './store.ts';

const KIB = 1024;
let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-limit-'));
  store = await openStore(join(folder, 'store'));
});
afterEach(() => {
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** What a step leaves behind. @returns the digest of its layer */
async function addStep(
  content: string,
  limit?: { bytes: number; onFull: (full: CacheFull) => void },
): Promise<Digest> {
  await using session = store.session();
  if (limit !== undefined) await limitCache(store, session, { bytes: limit.bytes }, limit.onFull);
  const bytes = Buffer.alloc(64 * KIB, content);
  const path = session.newPath('layer');
  writeFileSync(path, bytes);
  const digest = digestOf(bytes);
  await store.blobs.adopt(session, path, { digest, size: bytes.length });
  await store.records.put(session, {
    key: digestOf(content),
    keyRecord: { op: 'run' },
    layer: { diffId: asDiffId(digest), size: bytes.length, contentDigest: digestOf(content) },
    created: '2026-01-01T00:00:00Z',
    stage: '0',
    dockerfile: 'Dockerfile',
    text: 'RUN x',
  });
  return digest;
}

const layers = (): string[] => readdirSync(store.paths.blobs);
const never = (): void => expect.unreachable('the cache is not full');

describe('the limit of the cache', () => {
  test('is kept before anything is added: what was not used for longest goes', async () => {
    const limit = { bytes: 300 * KIB, onFull: never };
    const added: Digest[] = [];
    for (const name of 'abcdefgh') {
      added.push(await addStep(name, limit));
      expect(await cacheUsage(store)).toBeLessThanOrEqual(limit.bytes);
    }
    expect(layers().toSorted()).toEqual(added.slice(-layers().length).map(hexOf).toSorted());
    expect(layers().length).toBeGreaterThanOrEqual(3);
    expect(await store.records.list()).toHaveLength(layers().length);
  });

  test('is known without a walk from the first, and after a walk where the database was lost', async () => {
    expect(await cacheUsage(store)).toBe(0); // a new store has nothing in it
    for (const name of 'abc') await addStep(name);
    expect(await cacheUsage(store)).toBe(3 * (64 * KIB + 4 * KIB));
    await addStep('d');
    expect(await cacheUsage(store)).toBe(4 * (64 * KIB + 4 * KIB));
    store[Symbol.dispose]();
    rmSync(store.paths.database);
    store = await openStore(store.root);
    expect(await cacheUsage(store)).toBeUndefined();
    await using session = store.session();
    await limitCache(store, session, { bytes: 1 << 30 }, never);
    expect(await cacheUsage(store)).toBe(4 * (64 * KIB + 4 * KIB));
  });

  test('does not take what another session holds, and says so once', async () => {
    const held = await addStep('a');
    await using other = store.session();
    await other.hold(held);
    const told: CacheFull[] = [];
    await addStep('b', { bytes: 100 * KIB, onFull: (full) => told.push(full) });
    expect(told).toEqual([{ used: 132 * KIB, limit: 100 * KIB }]);
    expect(layers()).toHaveLength(2);
  });
});

describe('what is remembered to be faster', () => {
  test('goes with what it is about', async () => {
    const digest = await addStep('a');
    const [state, name] = [digestOf('state'), digestOf('name')];
    store.lookUps.rememberContent(state, name, { diffId: asDiffId(digest), created: '' });
    store.lookUps.rememberSelection(state, name, digest);
    store.lookUps.rememberCompressed(asDiffId(digest), 'gzip', { digest, size: 1 });
    const place = { registry: 'localhost', repository: 'one' };
    store.repositories.note(digest, place);
    const files = new Map([['src', new Map([['a', { stat: '', digest }]])]]);
    store.lookUps.rememberFiles(folder, files);
    store.lookUps.rememberFiles(join(folder, 'gone'), files);
    store.lookUps.used([digest, 'record of something that is gone']);
    await using session = store.session();
    await prune(store, session, { unusedFor: 60_000 });
    expect(store.lookUps.lastUse('record of something that is gone')).toBeUndefined();
    expect(store.lookUps.lastUse(digest)).toBeDefined();
    expect(store.lookUps.files(join(folder, 'gone'), 'src').size).toBe(0);
    expect(store.lookUps.selection(state, name)).toBe(digest);
    expect(store.repositories.besides({ ...place, repository: 'two' }, digest)).toEqual(['one']);
    await prune(store, session);
    expect(store.lookUps.lastUse(digest)).toBeUndefined();
    expect(store.lookUps.selection(state, name)).toBeUndefined();
    expect(store.lookUps.layerWithContent(state, name)).toBeUndefined();
    expect(store.lookUps.compressed(asDiffId(digest), 'gzip')).toBeUndefined();
    expect(store.lookUps.files(folder, 'src').size).toBe(0);
    expect(store.repositories.besides({ ...place, repository: 'two' }, digest)).toEqual([]);
  });
});
