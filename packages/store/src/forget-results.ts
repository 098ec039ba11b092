import type { Digest } from '@caisson/oci';
import { lockFile, type LockOptions } from './lock.ts';
import { heldNames } from './session.ts';
import { recordName } from './step-records.ts';
import type { Store } from './store.ts';

/** Results of steps that nobody will ask for again. */
export interface OldResults {
  /** The keys of their records. */
  readonly keys: readonly Digest[];
  /** What states that nothing else leads to count as in keys. */
  readonly states: readonly Digest[];
}

/**
 * Forgets results of steps as if the steps had never run: their records, unless somebody holds them, and what was noted of
 * them. Layers that no record leads to any more are for {@link prune} to take.
 */
export async function forgetResults(
  store: Store,
  { keys, states }: OldResults,
  options: LockOptions = {},
): Promise<void> {
  // Alone, so that nobody comes to rely on anything while it is being removed.
  using _lock = await lockFile(store.paths.storeLock, 'exclusive', options);
  const held = heldNames(store.paths);
  for (const key of keys) if (!held.has(recordName(key))) await store.records.remove(key);
  store.pastRecords.forget(keys);
  store.lookUps.forgetSelections(states);
}
