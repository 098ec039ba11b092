import { formatReference, type Reference } from '@caisson/oci';
import type { Session } from './session.ts';
import type { Store } from './store.ts';

/**
 * Gives an image another name. An image that has the name now loses it.
 * @param text a name, an image id or the beginning of one
 * @throws StoreError `no-such-image`, `ambiguous-image`
 */
export async function nameImage(
  store: Store,
  session: Session,
  text: string,
  name: Reference,
): Promise<void> {
  const { descriptor } = await store.images.find(text);
  await session.hold(descriptor.digest);
  await store.images.add(session, descriptor, [formatReference(name)]);
}
