import { familiarName, formatReference, parseReference, type Digest } from '@caisson/oci';
import { StoreError } from './errors.ts';
import type { NamedImage } from './image-index.ts';
import type { Session } from './session.ts';
import type { Store } from './store.ts';

/** What became of an image. */
export interface RemovedImage {
  /** The full names that were taken away. */
  readonly names: readonly string[];
  /** Its id, where it is gone; undefined where it has other names. */
  readonly id: Digest | undefined;
}

/**
 * Takes a name away from an image; the image goes where it has no other. Its layers stay as cache.
 * @param text a name, an image id or the beginning of one
 * @param isForced whether an image that is named by its id loses all its names
 * @throws StoreError `no-such-image`, `ambiguous-image`, `image-in-use`
 */
export async function removeImage(
  store: Store,
  session: Session,
  text: string,
  isForced: boolean,
): Promise<RemovedImage> {
  const image = await store.images.find(text);
  const names = namesToTake(image, text, isForced);
  if (names.length < image.names.length) {
    await store.images.removeNames(session, names);
    return { names, id: undefined };
  }
  await store.images.remove(session, [image.descriptor.digest]);
  return { names, id: image.id };
}

function namesToTake({ id, names }: NamedImage, text: string, isForced: boolean): readonly string[] {
  const reference = parseReference(text);
  const full = reference.ok ? formatReference(reference.value) : undefined;
  if (full !== undefined && names.includes(full)) return [full];
  if (names.length <= 1 || isForced) return names;
  throw new StoreError('image-in-use', `the image ${id} has ${names.length} names`, {
    hint: `give the one to take away, or --force: ${names.map(shownName).join(', ')}`,
  });
}

function shownName(fullName: string): string {
  const reference = parseReference(fullName);
  return reference.ok ? familiarName(reference.value) : fullName;
}
