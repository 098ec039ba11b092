import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  asDiffId,
  digestOf,
  hexOf,
  imageConfigBytes,
  manifestBytes,
  MEDIA_TYPES,
  type Digest,
} from '@caisson/oci';
import { cacheEntries } from './cache-entries.ts';
import { takeInventory } from './inventory.ts';
import { prune } from './prune.ts';
import { openStore, type Store } from './store.ts';
import { entryUsage } from './usage.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-01-01T00:00:00Z');
const BASE = 'the layer of the base';

let folder: string;
let store: Store;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  folder = mkdtempSync(join(tmpdir(), 'caisson-entries-'));
  store = await openStore(join(folder, 'store'));
});
afterEach(() => {
  vi.useRealTimers();
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** What a build of one step leaves: an image without a name, on a base that all of them have. @returns its manifest */
async function addBuild(content: string): Promise<Digest> {
  await using session = store.session();
  const base = await store.blobs.putBytes(session, Buffer.from(BASE));
  const layer = await store.blobs.putBytes(session, Buffer.from(content));
  const [baseId, diffId] = [asDiffId(base.digest), asDiffId(layer.digest)];
  await store.records.put(session, {
    key: digestOf(`key of ${content}`),
    keyRecord: { op: 'run' },
    layer: { diffId, size: layer.size, contentDigest: digestOf(content) },
    created: new Date().toISOString(),
    stage: '0',
    dockerfile: 'Dockerfile',
    text: `RUN ${content}`,
  });
  const rootfs = { type: 'layers', diff_ids: [baseId, diffId] } as const;
  const config = await store.blobs.putBytes(
    session,
    imageConfigBytes({ architecture: 'amd64', os: 'linux', rootfs }),
  );
  const layers = [base, layer].map((blob) => ({ mediaType: MEDIA_TYPES.ociLayerTar, ...blob }));
  const bytes = manifestBytes({ mediaType: MEDIA_TYPES.ociConfig, ...config }, layers);
  const manifest = { mediaType: MEDIA_TYPES.ociManifest, ...(await store.blobs.putBytes(session, bytes)) };
  await store.images.add(session, manifest, []);
  return manifest.digest;
}

/** The hours after the start at which the entries were used, by their kind and the beginning of their id. */
async function uses(): Promise<Record<string, number>> {
  const entries = cacheEntries(store, await takeInventory(store), new Set());
  return Object.fromEntries(
    entries.map(({ kind, id, lastUse }) => [`${kind} ${id.slice(0, 6)}`, (lastUse - START) / HOUR]),
  );
}

const step = (content: string): string => `step ${hexOf(digestOf(content)).slice(0, 6)}`;
const image = (manifest: Digest): string => `unnamed image ${hexOf(manifest).slice(0, 6)}`;

async function use(...names: readonly string[]): Promise<void> {
  await using session = store.session();
  await session.hold(...names);
}

describe('the last use of an entry', () => {
  test('is not that of what others have as well', async () => {
    const old = await addBuild('old');
    vi.setSystemTime(START + 5 * HOUR);
    const later = await addBuild('new');
    expect(await uses()).toEqual({ [image(old)]: 0, [step('old')]: 0, [image(later)]: 5, [step('new')]: 5 });
    vi.setSystemTime(START + 6 * HOUR);
    await use(digestOf(BASE), digestOf('old')); // the layer of the step is that of its image, too
    expect(await uses()).toMatchObject({ [image(old)]: 0, [step('old')]: 0 });
    expect((await entryUsage(store)).map(({ kind, lastUsed }) => [kind, lastUsed])).toEqual([
      ['unnamed image', '2026-01-01T05:00:00.000Z'],
      ['unnamed image', '2026-01-01T00:00:00.000Z'],
      ['step', '2026-01-01T05:00:00.000Z'],
      ['step', '2026-01-01T00:00:00.000Z'],
    ]);
  });

  test('is that of its manifest, and of its record', async () => {
    const old = await addBuild('old');
    vi.setSystemTime(START + HOUR);
    await use(old);
    expect(await uses()).toEqual({ [image(old)]: 1, [step('old')]: 0 });
    vi.setSystemTime(START + 2 * HOUR);
    {
      await using session = store.session();
      await store.records.get(session, digestOf('key of old'));
    }
    expect(await uses()).toEqual({ [image(old)]: 1, [step('old')]: 2 });
    vi.setSystemTime(START + 3 * HOUR);
    expect(await addBuild('old')).toBe(old);
    expect(await uses()).toEqual({ [image(old)]: 3, [step('old')]: 3 });
  });

  test('an image goes that only shares a layer with what a build holds; the layer stays', async () => {
    const old = await addBuild('old');
    await using build = store.session();
    await build.hold(digestOf(BASE), digestOf('old'));
    expect((await entryUsage(store)).map(({ kind, isInUse }) => [kind, isInUse])).toEqual([
      ['unnamed image', false],
      ['step', true],
    ]);
    await using session = store.session();
    expect(await prune(store, session)).toMatchObject({ images: [old], steps: 0, blobs: 2 });
    for (const content of [BASE, 'old']) expect(store.blobs.size(digestOf(content))).toBe(content.length);
    await build[Symbol.asyncDispose]();
    expect(await prune(store, session)).toMatchObject({ images: [], steps: 1, blobs: 2, left: 0 });
  });

  test('an image that a build holds itself stays, with all that it needs', async () => {
    const old = await addBuild('old');
    await using build = store.session();
    await build.hold(old);
    await using session = store.session();
    expect(await prune(store, session)).toMatchObject({ images: [], steps: 1, blobs: 0 });
    for (const content of [BASE, 'old']) expect(store.blobs.size(digestOf(content))).toBe(content.length);
  });

  test('says what prune takes; what is shared stays with the other', async () => {
    const old = await addBuild('old');
    vi.setSystemTime(START + 5 * HOUR);
    const later = await addBuild('new');
    await using session = store.session();
    expect(await prune(store, session, { unusedFor: HOUR })).toMatchObject({
      images: [old],
      steps: 1,
      blobs: 3,
    });
    expect(Object.keys(await uses())).toEqual([step('new'), image(later)]);
    expect(store.blobs.size(digestOf(BASE))).toBe(BASE.length);
    expect(store.blobs.size(digestOf('old'))).toBeUndefined();
    expect(await prune(store, session)).toMatchObject({ images: [later], steps: 1, blobs: 4, left: 0 });
  });
});
