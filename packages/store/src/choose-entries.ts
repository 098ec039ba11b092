import type { CacheEntry } from './cache-entries.ts';
import type { StoreObject } from './objects.ts';

/** Which entries may go, and when it is enough. */
export interface Choice {
  /** What stays whatever goes: the names of what the user's images need. */
  readonly needed: ReadonlySet<string>;
  /** What running builds hold: it stays as well, and counts. */
  readonly held: ReadonlySet<string>;
  /** What each object takes, in bytes. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly mayGo: (entry: CacheEntry) => boolean;
  /** So much may stay, in bytes: nothing more goes as soon as the cache takes no more. */
  readonly keepBytes: number;
}

/** What is to go. */
export interface Chosen {
  readonly entries: readonly CacheEntry[];
  /** The objects that nothing else needs. */
  readonly objects: readonly StoreObject[];
  /** What they take, in bytes. */
  readonly bytes: number;
  /** What the cache takes without them. */
  readonly left: number;
}

/**
 * Chooses whole entries, those first that were not used for the longest time. What a running build holds never goes. An
 * object goes with the last entry that it belongs to, unless it is held.
 */
export function chooseEntries(
  entries: readonly CacheEntry[],
  { needed, held, sizes, mayGo, keepBytes }: Choice,
): Chosen {
  const uses = new Map<string, number>();
  for (const { objects } of entries) {
    for (const { name } of objects) if (!needed.has(name)) uses.set(name, (uses.get(name) ?? 0) + 1);
  }
  const sizeOf = (name: string): number => sizes.get(name) ?? 0;
  const before = [...uses.keys()].reduce((sum, name) => sum + sizeOf(name), 0);
  let left = before;
  const gone: CacheEntry[] = [];
  const objects: StoreObject[] = [];
  for (const entry of entries.filter((each) => !each.isInUse && mayGo(each)).toSorted(byLastUse)) {
    if (left <= keepBytes) break;
    gone.push(entry);
    for (const object of entry.objects) {
      const others = (uses.get(object.name) ?? 0) - 1;
      uses.set(object.name, others);
      if (others !== 0 || held.has(object.name)) continue;
      objects.push(object);
      left -= sizeOf(object.name);
    }
  }
  return { entries: gone, objects, bytes: before - left, left };
}

/** Of entries that one build used, the later made first: it was made on the others. */
function byLastUse(a: CacheEntry, b: CacheEntry): number {
  return a.lastUse - b.lastUse || b.created.localeCompare(a.created);
}
