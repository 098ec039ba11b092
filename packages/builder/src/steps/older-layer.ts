import type { Digest } from '@caisson/oci';
import type { KnownLayer } from '@caisson/store';
import { LostLayer } from '../cache/imported-cache.ts';
import type { StepScope } from './step-scope.ts';

/** A layer that was there before, and its size in bytes. */
export type OlderLayer = KnownLayer & { readonly size: number };

/**
 * A layer that has the same content on the same state, and is there: in the store, or in a cache that lies elsewhere,
 * from where it is brought.
 */
export async function olderLayer(
  { store, session, imported }: Pick<StepScope, 'store' | 'session' | 'imported'>,
  state: Digest,
  content: Digest,
): Promise<OlderLayer | undefined> {
  const here = store.lookUps.layerWithContent(state, content);
  const size = here === undefined ? undefined : store.blobs.size(here.diffId);
  if (here !== undefined && size !== undefined && (await store.blobs.has(session, here.diffId)))
    return { ...here, size };
  const record = await imported.recordWithContent(state, content);
  if (record === undefined) return undefined;
  try {
    await imported.provide(record.layer.diffId);
  } catch (error) {
    if (error instanceof LostLayer) return undefined;
    throw error;
  }
  return { ...record.layer, created: record.created };
}
