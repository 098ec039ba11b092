import type { Session, Store } from '@caisson/store';
import type { AssembledImage } from './assemble-image.ts';

/**
 * Puts an image into the store. Its names are given when all of it is on the disk.
 * @param names undefined where it only passes through: then it is not in the index
 */
export async function storeImage(
  store: Store,
  session: Session,
  image: AssembledImage,
  names: readonly string[] | undefined,
): Promise<void> {
  await store.blobs.putBytes(session, image.configBytes);
  await store.blobs.putBytes(session, image.manifestBytes);
  if (names === undefined || (await store.images.isNamed(image.descriptor.digest, names))) return;
  await store.barrier();
  await store.images.add(session, image.descriptor, names);
}
