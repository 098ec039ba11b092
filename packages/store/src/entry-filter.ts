import type { CacheEntry, EntryKind } from './cache-entries.ts';

/** Which entries of the cache are meant: those that fit all that is given. */
export interface EntryFilter {
  /** One of these kinds. */
  readonly kinds?: readonly EntryKind[];
  /** Ids that begin with one of these, with or without `sha256:`. */
  readonly ids?: readonly string[];
  readonly isInUse?: boolean;
}

/** Whether an entry fits; undefined where nothing is given, and all do. */
export function matchesEntry({
  kinds,
  ids,
  isInUse,
}: EntryFilter): ((entry: CacheEntry) => boolean) | undefined {
  if (kinds === undefined && ids === undefined && isInUse === undefined) return undefined;
  return (entry) =>
    (kinds?.includes(entry.kind) ?? true) &&
    (ids?.some((id) => entry.id.startsWith(id.replace(/^sha256:/, ''))) ?? true) &&
    (isInUse ?? entry.isInUse) === entry.isInUse;
}
