import { digestOf, type Digest } from '@caisson/oci';
import type { KnownLayer, Store } from '@caisson/store';

/** What a layer gives, and on what. The times in it are no part of its content: an epoch that bounds them counts, too. */
export interface LayerContent {
  readonly state: Digest;
  readonly content: Digest;
  /** Of SOURCE_DATE_EPOCH, where it is set. */
  readonly epoch: number | undefined;
}

/** The layer that gave a content, if this store knows of one. */
export function knownLayer(store: Store, wanted: LayerContent): KnownLayer | undefined {
  return store.lookUps.layerWithContent(placeOf(wanted), wanted.content);
}

/** Whether this store knows of any layer that was made on a state. */
export function isBuiltOn(store: Store, on: Pick<LayerContent, 'state' | 'epoch'>): boolean {
  return store.lookUps.hasContents(placeOf(on));
}

/** Lets {@link knownLayer} find a layer. */
export function rememberLayer(store: Store, made: LayerContent, layer: KnownLayer): void {
  store.lookUps.rememberContent(placeOf(made), made.content, layer);
}

function placeOf({ state, epoch }: Pick<LayerContent, 'state' | 'epoch'>): Digest {
  return epoch === undefined ? state : digestOf(`${state} ${epoch}`);
}
