import type { Digest } from '@caisson/oci';
import { cacheEntries, namesOfNamedImages, type EntryKind } from './cache-entries.ts';
import { takeInventory } from './inventory.ts';
import { measureAll } from './measure.ts';
import { heldNames } from './session.ts';
import type { Store } from './store.ts';

/** An image of the user, or an entry of the cache. */
export interface EntryUsage {
  readonly kind: 'image' | EntryKind;
  /** Hex digits. */
  readonly id: string;
  /** What it is, for people. */
  readonly title: string;
  /** What it takes on the disk, in bytes; what belongs to something above it as well counts there. */
  readonly bytes: number;
  /** RFC 3339. */
  readonly lastUsed: string | null;
  /** The full names of images that need something of it. */
  readonly names: readonly string[];
  /** Whether a running build uses it. */
  readonly isInUse: boolean;
  /** What prune would free, in bytes. */
  readonly reclaimable: number;
}

/** One kind of what a store holds. */
export interface Usage {
  readonly kind: EntryUsage['kind'];
  readonly count: number;
  /** In bytes. */
  readonly bytes: number;
  readonly reclaimable: number;
}

const KINDS: readonly EntryUsage['kind'][] = [
  'image',
  'unnamed image',
  'base image',
  'step',
  'tree',
  'cache mount',
  'file',
  'logs',
  'unreadable',
];

/** Everything that a store holds and what keeps it: images of the user, then the cache, what was used last first. */
export async function entryUsage(store: Store, signal?: AbortSignal): Promise<EntryUsage[]> {
  const inventory = await takeInventory(store);
  const held = heldNames(store.paths);
  const entries = cacheEntries(store, inventory, held);
  const sizes = await measureAll(store, inventory, entries, signal);
  const needed = namesOfNamedImages(inventory);
  const left = new Map(sizes);
  const take = (names: Iterable<string>): number => {
    let bytes = 0;
    for (const name of names) {
      bytes += left.get(name) ?? 0;
      left.delete(name);
    }
    return bytes;
  };
  const named = inventory.images.filter(({ names }) => names.length > 0);
  const rows = named.map(({ descriptor, names, blobs }): EntryUsage => {
    const lastUse = store.lookUps.lastUse(descriptor.digest);
    const title = names.join(', ');
    const facts = { kind: 'image', id: hexIn(descriptor.digest), title, names } as const;
    return { ...facts, bytes: take(blobs), lastUsed: timeOf(lastUse), isInUse: false, reclaimable: 0 };
  });
  const byUse = entries.toSorted(
    (a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || b.lastUse - a.lastUse,
  );
  const keepers = new Map<string, string[]>();
  for (const { names, blobs } of named)
    for (const blob of blobs) keepers.set(blob, [...(keepers.get(blob) ?? []), ...names]);
  for (const entry of byUse) {
    const own = entry.objects.map(({ name }) => name);
    const kept = take(own.filter((name) => !needed.has(name) && held.has(name)));
    const others = take(own.filter((name) => !needed.has(name)));
    rows.push({
      kind: entry.kind,
      id: entry.id,
      title: entry.title,
      bytes: kept + others,
      lastUsed: timeOf(entry.lastUse),
      // That others have layers of an image does not mean that they need it: those are entries of their own.
      names:
        entry.kind === 'unnamed image' ? [] : [...new Set(own.flatMap((name) => keepers.get(name) ?? []))],
      isInUse: entry.isInUse,
      reclaimable: entry.isInUse ? 0 : others,
    });
  }
  return rows;
}

/** What a store holds, kind by kind. */
export async function diskUsage(store: Store, signal?: AbortSignal): Promise<Usage[]> {
  const rows = await entryUsage(store, signal);
  return KINDS.map((kind) => {
    const own = rows.filter((row) => row.kind === kind);
    const sum = (of: (row: EntryUsage) => number): number => own.reduce((total, row) => total + of(row), 0);
    return {
      kind,
      count: own.length,
      bytes: sum(({ bytes }) => bytes),
      reclaimable: sum(({ reclaimable }) => reclaimable),
    };
  });
}

function hexIn(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

function timeOf(milliseconds: number | undefined): string | null {
  return milliseconds === undefined || milliseconds === 0 ? null : new Date(milliseconds).toISOString();
}
