import type { Digest } from '@caisson/oci';
import { fileUsage, treeUsage } from './disk-usage.ts';
import { takeInventory } from './inventory.ts';
import { formId } from './paths.ts';
import type { Store } from './store.ts';

/** One kind of what a store holds. */
export interface Usage {
  readonly kind:
    | 'images'
    | 'unnamed images'
    | 'step layers'
    | 'base images'
    | 'mountable trees'
    | 'cache mounts'
    | 'other';
  readonly count: number;
  /** What it takes on the disk, in bytes. A layer counts once, with the first kind that needs it. */
  readonly bytes: number;
  /** What prune would free of it at most. */
  readonly reclaimable: number;
}

/** What a store holds, and what that takes on the disk. */
export async function diskUsage(store: Store): Promise<Usage[]> {
  const { images, bases, records, trees, tocs, blobs } = await takeInventory(store);
  const { paths } = store;
  const left = new Set<Digest>(blobs);
  const take = async (digests: Iterable<Digest>): Promise<number> => {
    let bytes = 0;
    for (const digest of digests) if (left.delete(digest)) bytes += await fileUsage(paths.blob(digest));
    return bytes;
  };
  const named = images.filter(({ names }) => names.length > 0);
  const unnamed = images.filter(({ names }) => names.length === 0);
  const imageBytes = await take(named.flatMap((each) => each.blobs));
  const unnamedBytes = await take(unnamed.flatMap((each) => each.blobs));
  const baseBytes = await take([...bases.values()].flatMap((each) => each.blobs));
  const stepBytes = await take(records.map(({ layer }) => layer.diffId));
  let treeBytes = 0;
  for (const form of trees) treeBytes += await treeUsage(paths.tree(form));
  const slots = store.cacheMounts.slots();
  let cacheBytes = 0;
  for (const slot of slots) cacheBytes += await treeUsage(store.cacheMounts.path(slot));
  let otherBytes = await take([...left]);
  for (const form of tocs) otherBytes += await fileUsage(paths.toc(form));
  for (const { key } of records) otherBytes += await fileUsage(paths.record(key));
  const row = (kind: Usage['kind'], count: number, bytes: number): Usage => ({
    kind,
    count,
    bytes,
    reclaimable: kind === 'images' ? 0 : bytes,
  });
  return [
    row('images', named.length, imageBytes),
    row('unnamed images', unnamed.length, unnamedBytes),
    row('step layers', new Set(records.map(({ layer }) => formId('layer', layer.diffId))).size, stepBytes),
    row('base images', bases.size, baseBytes),
    row('mountable trees', trees.length, treeBytes),
    row('cache mounts', slots.length, cacheBytes),
    row('other', tocs.length + records.length, otherBytes),
  ];
}
