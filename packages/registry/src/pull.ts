import {
  familiarName,
  formatReference,
  type Descriptor,
  type Digest,
  type Platform,
  type Reference,
} from '@caisson/oci';
import type { Session, Store } from '@caisson/store';
import { fetchBlob } from './blobs.ts';
import type { RegistryClient } from './client.ts';
import { fetchImage, type RemoteImage } from './remote-image.ts';
import { transferAll } from './transfer-all.ts';

/** What a transfer tells: how much of a blob is through, in bytes; of all of them first nothing, then several times each. */
export type OnTransfer = (event: {
  readonly digest: Digest;
  readonly done: number;
  readonly size: number;
  /** It was there already. */
  readonly wasThere: boolean;
}) => void;

/** What pulling needs. */
export interface PullOptions {
  readonly store: Store;
  readonly session: Session;
  readonly platform: Platform;
  readonly onTransfer?: OnTransfer;
  readonly signal?: AbortSignal;
}

/**
 * Fetches an image, with all its layers, and names it. Nothing is named before all of it is there and checked.
 * @throws RegistryError, StoreError
 */
export async function pullImage(
  client: RegistryClient,
  reference: Reference,
  { store, session, platform, onTransfer, signal }: PullOptions,
): Promise<RemoteImage> {
  const image = await fetchImage(client, reference, platform, signal);
  const shown = familiarName(reference);
  const distinct = new Map(image.manifest.layers.map((layer) => [layer.digest, layer]));
  const fetchOne = async (layer: Descriptor, _index: number, either: AbortSignal): Promise<void> => {
    const { digest } = layer;
    let done = 0;
    const onProgress = (received: number): void => {
      done = received;
      onTransfer?.({ digest, done, size: layer.size, wasThere: false });
    };
    const options = { store, session, what: `a layer of ${shown}`, onProgress, signal: either };
    await fetchBlob(client, reference, layer, options);
    if (done === 0) onTransfer?.({ digest, done: layer.size, size: layer.size, wasThere: true });
  };
  for (const { digest, size } of distinct.values()) onTransfer?.({ digest, done: 0, size, wasThere: false });
  await transferAll(distinct.values(), fetchOne, signal);
  await putDocuments(image, store, session);
  await store.barrier();
  await store.images.add(session, image.descriptor, [formatReference(reference)]);
  return image;
}

/** Puts an image's manifest and config into the store. */
export async function putDocuments(
  { manifestBytes, configBytes }: RemoteImage,
  store: Store,
  session: Session,
): Promise<void> {
  await store.blobs.putBytes(session, configBytes);
  await store.blobs.putBytes(session, manifestBytes);
}
