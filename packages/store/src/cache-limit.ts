import { statfsSync } from 'node:fs';
import { cacheUsage } from './measure.ts';
import { prune } from './prune.ts';
import type { Session } from './session.ts';
import type { Store } from './store.ts';

/** How much the cache may take: bytes, or a part of the disk that the store lies on. */
export type CacheSize = { readonly bytes: number } | { readonly percent: number };

/** Where nobody says anything else. */
export const DEFAULT_CACHE_SIZE: CacheSize = { percent: 10 };

/** When something has to go, a tenth more than that goes: else each build would have to look for something. */
const KEPT_PART = 0.9;

/** The cache takes more than it may, and nothing of it can go. */
export interface CacheFull {
  /** In bytes. */
  readonly used: number;
  readonly limit: number;
}

/**
 * Keeps the cache below a limit from now on: before anything is added, what was not used for longest goes. What running
 * builds hold stays, and so does what images of the user need; it does not count either.
 * @param onFull told once, when room cannot be made; what is written then is written all the same
 * @param signal ends it while it makes room
 */
export async function limitCache(
  store: Store,
  session: Session,
  size: CacheSize,
  onFull: (full: CacheFull) => void,
  signal?: AbortSignal,
): Promise<void> {
  const limit = bytesOf(store, size);
  let isFull = false;
  const makeRoom = async (bytes: number): Promise<void> => {
    if (isFull) return;
    const used = await cacheUsage(store);
    if (used !== undefined && used + bytes <= limit) return;
    const maxUsed = Math.max(0, Math.floor(limit * KEPT_PART) - bytes);
    // Where it was not known what the cache takes, it is now: what fits stays.
    const keep = used === undefined ? { maxUsed: Math.max(0, limit - bytes) } : { maxUsed };
    const { left } = await prune(store, session, { keep, signal });
    if (left + bytes <= limit) return;
    isFull = true;
    onFull({ used: left + bytes, limit });
  };
  let last = Promise.resolve();
  store.room.limitBy((bytes) => {
    last = last.then(() => makeRoom(bytes));
    return last;
  });
  await store.room.for(0);
}

function bytesOf({ root }: Store, size: CacheSize): number {
  if ('bytes' in size) return size.bytes;
  const { blocks, bsize } = statfsSync(root);
  return Math.floor((blocks * bsize * size.percent) / 100);
}
