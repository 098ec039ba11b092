import type { Session, Store } from '@caisson/store';
import type { FileState } from '../state.ts';
import type { LayerProvider } from '../snapshot/chains.ts';
import type { AssembledImage } from './assemble-image.ts';

/** Puts an image into the store under its names. The index names it only when all of it is on the disk. */
export async function storeImage(
  store: Store,
  session: Session,
  image: AssembledImage,
  state: FileState,
  names: readonly string[],
  provide: LayerProvider,
): Promise<void> {
  for (const layer of state.layers) await provide(layer);
  await store.blobs.putBytes(session, image.configBytes);
  await store.blobs.putBytes(session, image.manifestBytes);
  if (await store.images.isNamed(image.descriptor.digest, names)) return;
  await store.barrier();
  await store.images.add(session, image.descriptor, names);
}
