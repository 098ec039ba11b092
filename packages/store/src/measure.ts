import { blobObject, cacheMountObject, type StoreObject } from './objects.ts';
import { namesOfNamedImages, type CacheEntry } from './cache-entries.ts';
import { fileUsage, treeUsage } from './disk-usage.ts';
import type { Inventory } from './inventory.ts';
import { statText } from './seen.ts';
import type { Store } from './store.ts';

/** What each object of a store takes, in bytes, by name. What was measured before and cannot change is not walked again. */
export async function measureAll(
  store: Store,
  inventory: Inventory,
  entries: readonly CacheEntry[],
  signal?: AbortSignal,
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const object of entries.flatMap(({ objects }) => objects)) {
    signal?.throwIfAborted();
    if (!sizes.has(object.name)) sizes.set(object.name, await measure(store, object));
  }
  for (const digest of inventory.blobs) {
    if (!sizes.has(digest)) sizes.set(digest, fileUsage(blobObject(store, digest).path));
  }
  return sizes;
}

async function measure({ sizes }: Store, { kind, name, path, isLocked }: StoreObject): Promise<number> {
  if (kind !== 'tree' && kind !== 'cache mount' && kind !== 'logs') return fileUsage(path);
  const known = sizes.measured(name);
  if (known !== undefined) return known;
  const bytes = await treeUsage(path);
  // A cache mount that is in use changes, and so do the logs of a build that is running.
  if (isLocked?.() !== true) sizes.set(name, bytes, 'measured');
  return bytes;
}

/** What the cache takes: everything but what the images of the user need. The store is walked only if that is not known. */
export async function cacheUsage(store: Store): Promise<number | undefined> {
  for (const slot of store.cacheMounts.slots()) {
    await measure(store, cacheMountObject(store, slot)); // one that was in use since it was last measured is walked
  }
  const total = store.sizes.total();
  return total === undefined ? undefined : total - (await namedUsage(store));
}

/** What the images of the user need, in bytes. It is worked out again when the index has changed. */
async function namedUsage(store: Store): Promise<number> {
  const state = statText(store.paths.index) ?? '';
  const known = store.sizes.ofNamedImages(state);
  if (known !== undefined) return known;
  const needed = namesOfNamedImages({ images: await store.images.contents() });
  const bytes = [...needed].reduce((sum, name) => sum + (store.sizes.measured(name) ?? 0), 0);
  store.sizes.setNamedImages(state, bytes);
  return bytes;
}
