import { statfsSync } from 'node:fs';
import type { Digest } from '@caisson/oci';
import { cacheEntries, namesOfNamedImages, type CacheEntry } from './cache-entries.ts';
import { chooseEntries, type Chosen } from './choose-entries.ts';
import { takeInventory, type Inventory } from './inventory.ts';
import { lockFile } from './lock.ts';
import { measureAll } from './measure.ts';
import type { ObjectKind, StoreObject } from './objects.ts';
import { digestsIn } from './past-records.ts';
import { heldNames, type Session } from './session.ts';
import { recordName } from './step-records.ts';
import type { Store } from './store.ts';

/** What prune may take, and how much of it may stay. */
export type PruneOptions = PruneChoice &
  (
    | {
        readonly isMeasured?: true;
        /** How much may stay, in bytes; nothing where it is not given. */
        readonly keep?: KeptSpace;
      }
    | {
        /**
         * Nothing is added up: folders that nobody has measured would be walked for that. `bytes` and `left` say
         * nothing then.
         */
        readonly isMeasured: false;
        readonly keep?: never;
      }
  );

/** What prune may take. */
interface PruneChoice {
  /** Only what was not used for this long, in milliseconds; everything where it is not given. */
  readonly unusedFor?: number;
  /** Only these. */
  readonly matches?: (entry: CacheEntry) => boolean;
  /** Only say what would be taken. */
  readonly isDryRun?: boolean;
  /** Ends it: what it has not yet removed stays. */
  readonly signal?: AbortSignal | undefined;
}

/** How much of the cache may stay, in bytes. */
export interface KeptSpace {
  /** So much at most. */
  readonly maxUsed?: number;
  /** So much in any case. */
  readonly reserved?: number;
  /** As much as leaves so much of the disk free. */
  readonly minFree?: number;
}

/** What prune took. */
export interface Pruned {
  /** Manifests of images that had no name. */
  readonly images: readonly Digest[];
  /** Results of steps. */
  readonly steps: number;
  readonly bases: number;
  readonly trees: number;
  readonly maps: number;
  readonly tars: number;
  readonly cacheMounts: number;
  /** Builds whose logs are gone. */
  readonly logs: number;
  readonly blobs: number;
  /** What that takes on the disk, in bytes. */
  readonly bytes: number;
  /** What the cache takes now, in bytes. */
  readonly left: number;
}

/**
 * Removes what no named image needs: images without a name, and the cache, what was not used for longest first. It never
 * waits for a build to end: what living sessions hold stays. It needs no space on the disk.
 */
export async function prune(store: Store, session: Session, options: PruneOptions = {}): Promise<Pruned> {
  // Alone, so that nobody comes to rely on anything while it is being removed.
  const { signal } = options;
  using _lock = await lockFile(store.paths.storeLock, 'exclusive', { signal });
  const held = heldNames(store.paths);
  const inventory = await takeInventory(store);
  const entries = cacheEntries(store, inventory, held);
  const isMeasured = options.isMeasured ?? true;
  const sizes = isMeasured ? await measureAll(store, inventory, entries, signal) : new Map<string, number>();
  const oldest = options.unusedFor === undefined ? Infinity : Date.now() - options.unusedFor;
  const { matches = () => true } = options;
  const choice = {
    needed: namesOfNamedImages(inventory),
    held,
    sizes,
    mayGo: (entry: CacheEntry) => entry.lastUse <= oldest && matches(entry),
  };
  const used = chooseEntries(entries, { ...choice, keepBytes: Infinity }).left;
  const chosen = chooseEntries(entries, { ...choice, keepBytes: bytesToKeep(store, used, options.keep) });
  if (options.isDryRun !== true) {
    await remove(store, session, chosen, signal);
    for (const { name } of chosen.objects) sizes.delete(name);
    if (isMeasured) store.sizes.replaceAll(sizes, held);
    const there = namesLeft(inventory, entries, chosen);
    store.forget({
      isKnown: (name) => there.has(name) || held.has(name),
      unusedSince: options.matches === undefined ? lastUseOf(chosen, options, oldest) : 0,
    });
    const left = inventory.records.filter(({ key }) => there.has(recordName(key)));
    store.pastRecords.shorten(left.flatMap(({ keyRecord }) => digestsIn(JSON.stringify(keyRecord))));
    store.shrink();
  }
  return summary(chosen);
}

/** The names of all objects that are there still. */
function namesLeft(
  { blobs }: Inventory,
  entries: readonly CacheEntry[],
  { objects }: Chosen,
): ReadonlySet<string> {
  const names = new Set<string>(blobs);
  for (const entry of entries) for (const { name } of entry.objects) names.add(name);
  for (const { name } of objects) names.delete(name);
  return names;
}

function summary({ entries, objects, bytes, left }: Chosen): Pruned {
  const count = (kind: ObjectKind): number => objects.filter((object) => object.kind === kind).length;
  return {
    images: entries.flatMap(({ manifest }) => manifest ?? []),
    steps: entries.filter(({ kind }) => kind === 'step').length,
    bases: count('base'),
    trees: count('tree'),
    maps: count('map'),
    tars: count('tar'),
    cacheMounts: count('cache mount'),
    logs: count('logs'),
    blobs: count('blob'),
    bytes,
    left,
  };
}

function bytesToKeep({ root }: Store, used: number, keep: KeptSpace | undefined): number {
  if (keep === undefined) return -1; // not even what takes nothing
  const { maxUsed = keep.minFree === undefined ? 0 : Infinity, reserved = 0, minFree = 0 } = keep;
  const { bavail, bsize } = statfsSync(root);
  const missing = Math.max(0, minFree - bavail * bsize);
  return Math.max(reserved, Math.min(maxUsed, missing === 0 ? Infinity : used - missing));
}

/**
 * What names something goes before what it names: at no moment does anything name what is gone. Files that are only
 * removed go first: on a full disk, that makes room for what has to be written.
 */
async function remove(
  store: Store,
  session: Session,
  { entries, objects }: Chosen,
  signal: AbortSignal | undefined,
): Promise<void> {
  const images = entries.flatMap(({ manifest }) => manifest ?? []);
  const ofImages = new Set(
    entries
      .filter(({ manifest }) => manifest !== undefined)
      .flatMap((entry) => entry.objects.map(({ name }) => name)),
  );
  const order = [
    ...objects.filter(({ kind }) => ['record', 'base', 'stray', 'map', 'tar', 'toc'].includes(kind)),
    ...objects.filter((object) => isBlob(object) && !ofImages.has(object.name)),
    ...objects.filter(({ kind }) => ['tree', 'cache mount', 'logs'].includes(kind)),
  ];
  for (const object of order) {
    signal?.throwIfAborted();
    await object.remove(session);
  }
  if (images.length > 0) await store.images.remove(session, images);
  for (const object of objects.filter(isBlob)) await object.remove(session);
}

function isBlob({ kind }: StoreObject): boolean {
  return kind === 'blob';
}

/** What was last used before this is as old as what went. */
function lastUseOf({ entries }: Chosen, { keep }: PruneOptions, oldest: number): number {
  return keep === undefined ? oldest : Math.max(0, ...entries.map(({ lastUse }) => lastUse));
}
