import { lstatSync } from 'node:fs';
import type { Digest } from '@caisson/oci';
import { cacheMountName } from './cache-mounts.ts';
import { fileUsage, treeUsage } from './disk-usage.ts';
import { takeInventory, type Inventory } from './inventory.ts';
import { tocName, treeName } from './layer-forms.ts';
import { lockFile } from './lock.ts';
import { formId } from './paths.ts';
import { digestsIn } from './past-records.ts';
import { heldNames, type Session } from './session.ts';
import { recordName } from './step-records.ts';
import type { Store } from './store.ts';

/** What prune may take. */
export interface PruneOptions {
  /** Only what was not used for this long, in milliseconds; everything where it is not given. */
  readonly unusedFor?: number;
  /** Only say what would be taken. */
  readonly isDryRun?: boolean;
}

/** What prune took. */
export interface Pruned {
  /** Manifests of images that had no name. */
  readonly images: readonly Digest[];
  readonly records: number;
  readonly bases: number;
  readonly trees: number;
  readonly cacheMounts: number;
  readonly blobs: number;
  /** What that takes on the disk, in bytes. */
  readonly bytes: number;
}

/** What is to go. */
interface Doomed {
  readonly images: readonly Digest[];
  readonly records: Inventory['records'];
  readonly bases: readonly string[];
  readonly trees: Inventory['trees'];
  readonly tocs: Inventory['tocs'];
  readonly cacheMounts: readonly string[];
  readonly blobs: readonly Digest[];
}

/**
 * Removes what no named image needs: images without a name, and the cache. It never waits for a build to end: what
 * living sessions hold stays.
 */
export async function prune(store: Store, session: Session, options: PruneOptions = {}): Promise<Pruned> {
  // Alone, so that nobody comes to rely on anything while it is being removed.
  using _lock = await lockFile(store.paths.storeLock, 'exclusive');
  const held = heldNames(store.paths);
  const inventory = await takeInventory(store);
  const doomed = choose(store, inventory, held, options.unusedFor);
  const bytes = await usageOf(store, doomed);
  if (options.isDryRun !== true) await remove(store, session, inventory, doomed);
  return {
    images: doomed.images,
    records: doomed.records.length,
    bases: doomed.bases.length,
    trees: doomed.trees.length,
    cacheMounts: doomed.cacheMounts.length,
    blobs: doomed.blobs.length,
    bytes,
  };
}

function choose(
  store: Store,
  inventory: Inventory,
  held: ReadonlySet<string>,
  unusedFor: number | undefined,
): Doomed {
  const oldest = unusedFor === undefined ? Infinity : Date.now() - unusedFor;
  const stays = (name: string, path: string): boolean =>
    held.has(name) || lastUse(store, name, path) > oldest;
  const { paths } = store;
  const isKept = (image: Inventory['images'][number]): boolean =>
    image.names.length > 0 || stays(image.descriptor.digest, paths.blob(image.descriptor.digest));
  const records = inventory.records.filter(({ key }) => !stays(recordName(key), paths.record(key)));
  const bases = [...inventory.bases].filter(
    ([name, { base }]) => !stays(name, paths.blob(base.manifest.digest)),
  );
  const needed = new Set<string>(inventory.images.filter(isKept).flatMap(({ blobs }) => blobs));
  const goneRecords = new Set(records);
  for (const record of inventory.records) {
    if (goneRecords.has(record)) continue;
    needed.add(record.layer.diffId);
    needed.add(tocName(formId('layer', record.layer.diffId)));
  }
  const goneBases = new Set(bases.map(([name]) => name));
  for (const [name, { blobs }] of inventory.bases) {
    if (!goneBases.has(name)) for (const digest of blobs) needed.add(digest);
  }
  return {
    images: inventory.images.filter((image) => !isKept(image)).map(({ descriptor }) => descriptor.digest),
    records,
    bases: [...goneBases],
    trees: inventory.trees.filter((form) => !stays(treeName(form), paths.tree(form))),
    tocs: inventory.tocs.filter(
      (form) => !needed.has(tocName(form)) && !stays(tocName(form), paths.toc(form)),
    ),
    cacheMounts: store.cacheMounts
      .slots()
      .filter((slot) => lastUse(store, cacheMountName(slot), store.cacheMounts.path(slot)) <= oldest),
    blobs: inventory.blobs.filter((digest) => !needed.has(digest) && !held.has(digest)),
  };
}

/** When something was last used, in milliseconds since 1970; when it was made, if nothing else is known. */
function lastUse(store: Store, name: string, path: string): number {
  return store.lookUps.lastUse(name) ?? lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function usageOf(store: Store, doomed: Doomed): Promise<number> {
  const { paths } = store;
  let bytes = 0;
  for (const { key } of doomed.records) bytes += await fileUsage(paths.record(key));
  for (const form of doomed.trees) bytes += await treeUsage(paths.tree(form));
  for (const slot of doomed.cacheMounts) bytes += await treeUsage(store.cacheMounts.path(slot));
  for (const form of doomed.tocs) bytes += await fileUsage(paths.toc(form));
  for (const digest of doomed.blobs) bytes += await fileUsage(paths.blob(digest));
  return bytes;
}

/** What names something goes before what it names: at no moment does anything name what is gone. */
async function remove(store: Store, session: Session, inventory: Inventory, doomed: Doomed): Promise<void> {
  if (doomed.images.length > 0) await store.images.remove(session, doomed.images);
  for (const { key } of doomed.records) await store.records.remove(key);
  for (const name of doomed.bases) {
    const known = inventory.bases.get(name);
    if (known !== undefined) await store.bases.remove(known.base);
  }
  for (const form of doomed.trees) await store.forms.removeTree(session, form);
  for (const form of doomed.tocs) await store.forms.removeToc(form);
  for (const slot of doomed.cacheMounts) await store.cacheMounts.remove(session, slot);
  for (const digest of doomed.blobs) await store.blobs.remove(digest);
  store.lookUps.forgetFiles();
  const left = inventory.records.filter((record) => !doomed.records.includes(record));
  store.pastRecords.shorten(left.flatMap(({ keyRecord }) => digestsIn(JSON.stringify(keyRecord))));
}
