import type { KnownLayer } from '@caisson/store';
import { LostLayer } from '../cache/imported-cache.ts';
import { knownLayer, type LayerContent } from '../cache/layer-content.ts';
import type { StepScope } from './step-scope.ts';

/** A layer that was there before, and its size in bytes. */
export type OlderLayer = KnownLayer & { readonly size: number };

/**
 * A layer that has the same content on the same state, and is there: in the store, or in a cache that lies elsewhere,
 * from where it is brought.
 */
export async function olderLayer(
  { store, session, imported }: Pick<StepScope, 'store' | 'session' | 'imported'>,
  wanted: LayerContent,
): Promise<OlderLayer | undefined> {
  const here = knownLayer(store, wanted);
  const size = here === undefined ? undefined : store.blobs.size(here.diffId);
  if (here !== undefined && size !== undefined && (await store.blobs.has(session, here.diffId)))
    return { ...here, size };
  const record = await imported.recordWithContent(wanted);
  if (record === undefined) return undefined;
  try {
    await imported.provide(record.layer.diffId);
  } catch (error) {
    if (error instanceof LostLayer) return undefined;
    throw error;
  }
  return { ...record.layer, created: record.created };
}
