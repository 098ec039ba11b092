import {
  digestOf,
  isForeignLayer,
  manifestBytes,
  MEDIA_TYPES,
  platformIndex,
  type Compression,
  type Descriptor,
  type Digest,
  type DiffId,
  type Platform,
  type Reference,
} from '@caisson/oci';
import type { Session, Store, StoredImage } from '@caisson/store';
import { BlobPusher, type OnArrival, type OnSent } from './blob-pusher.ts';
import type { RegistryClient } from './client.ts';
import { putManifest } from './put-manifest.ts';
import { sendLayer } from './send-layer.ts';
import { transferAll } from './transfer-all.ts';

/** A layer that lies in another place than the store, as it travels. */
export interface DistantLayer {
  readonly descriptor: Descriptor;
  /** The repository that it lies in, if it is one: a registry can take it over from there. */
  readonly repository: Pick<Reference, 'registry' | 'repository'> | undefined;
  /** Its bytes, checked on the way. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** What pushing needs. */
export interface PushOptions {
  readonly store: Store;
  readonly session: Session;
  /** How layers that lie uncompressed in the store travel. Others travel as they are. */
  readonly compression: Compression;
  readonly onTransfer?: OnArrival;
  readonly onSent?: OnSent;
  /** Told how much of a layer is read that has to be compressed, in bytes. */
  readonly onCompress?: (layer: Pick<Descriptor, 'digest' | 'size'>, done: number) => void;
  /** Where a layer lies that is not in the store. */
  readonly elsewhere?: (diffId: DiffId, layer: Descriptor) => DistantLayer | undefined;
  readonly signal?: AbortSignal;
}

/** An image, and what it was built for. */
export type ImageToPush = StoredImage & { readonly platform: Platform };

/**
 * Sends images to a registry. One goes by the tag itself; of several, one a platform, an index does that lists them.
 * @param reference where to
 * @param images each for another platform
 * @returns the descriptor of the manifest or the index, as it is there
 * @throws RegistryError, StoreError
 */
export async function pushImages(
  client: RegistryClient,
  reference: Reference,
  images: readonly ImageToPush[],
  options: PushOptions,
): Promise<Descriptor> {
  const [only, ...others] = images;
  if (only !== undefined && others.length === 0) return pushImage(client, reference, only, options);
  const { tag: _tag, ...untagged } = reference;
  const pushed: Pick<ImageToPush, 'descriptor' | 'platform'>[] = [];
  for (const image of images) {
    const descriptor = await pushImage(client, untagged, image, options);
    pushed.push({ descriptor, platform: image.platform });
  }
  const { bytes, descriptor } = platformIndex(pushed);
  await putManifest(client.toWrite(reference), reference, descriptor, bytes, options.signal);
  return descriptor;
}

/**
 * Sends an image to its registry: layers and config first, those that it has not; the manifest last. A layer that is not
 * in the store comes straight from where it lies.
 * @param reference where to; its tag is what the manifest goes by
 * @returns the digest that the image has there
 * @throws RegistryError, StoreError
 */
export async function pushImage(
  client: RegistryClient,
  reference: Reference,
  image: StoredImage,
  options: PushOptions,
): Promise<Descriptor> {
  const { store, signal } = options;
  const repository = client.toWrite(reference);
  const { repositories } = store;
  const { onTransfer: onArrival, onSent } = options;
  const pusher = new BlobPusher(client, repository, { repositories, onArrival, onSent });
  const sources = await repositoriesByLayer(options, reference);
  const transfer: Transfer = { pusher, reference, options, sources };
  const layers = await transferAll(
    image.manifest.layers,
    (layer, index, either) => pushLayer(transfer, image, layer, index, either),
    signal,
  );
  await pusher.push({ ...image.manifest.config, open: () => store.blobs.read(image.id) }, [], signal);
  const isSame = layers.every((layer, index) => layer.digest === image.manifest.layers[index]?.digest);
  const bytes = isSame
    ? await store.blobs.document(image.descriptor.digest)
    : manifestBytes(image.manifest.config, layers);
  const mediaType = isSame ? image.descriptor.mediaType : MEDIA_TYPES.ociManifest;
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  await putManifest(repository, reference, descriptor, bytes, signal);
  return descriptor;
}

interface Transfer {
  readonly pusher: BlobPusher;
  readonly reference: Reference;
  readonly options: PushOptions;
  readonly sources: ReadonlyMap<Digest, readonly string[]>;
}

/** Sends a layer in the compression that was asked for. @returns its descriptor as the registry has it */
async function pushLayer(
  transfer: Transfer,
  image: StoredImage,
  layer: Descriptor,
  index: number,
  signal: AbortSignal,
): Promise<Descriptor> {
  const { options, pusher, sources } = transfer;
  const { store, elsewhere } = options;
  if (isForeignLayer(layer.mediaType)) return layer;
  const diffId = image.config.rootfs.diff_ids[index];
  if (diffId === undefined) throw new Error('Internal error: an image that is not sound');
  const distant = store.blobs.size(layer.digest) === undefined ? elsewhere?.(diffId, layer) : undefined;
  if (distant !== undefined) return pushDistant(transfer, distant, signal);
  const mountFrom = (digest: Digest): readonly string[] => sources.get(digest) ?? [];
  return sendLayer(pusher, diffId, layer, { ...options, mountFrom, signal });
}

async function pushDistant(
  { pusher, reference, sources }: Transfer,
  { descriptor, repository, open }: DistantLayer,
  signal: AbortSignal,
): Promise<Descriptor> {
  const own = repository?.registry === reference.registry ? [repository.repository] : [];
  const mountFrom = [...own, ...(sources.get(descriptor.digest) ?? [])];
  await pusher.push({ ...descriptor, open }, mountFrom, signal);
  return descriptor;
}

/** Which other repositories of the registry should have a layer: those that it came from, as far as the store knows. */
async function repositoriesByLayer(
  { store }: PushOptions,
  { registry, repository }: Reference,
): Promise<Map<Digest, string[]>> {
  const found = new Map<Digest, string[]>();
  const prefix = `${registry}/`;
  const note = (name: string, layers: readonly Descriptor[]): void => {
    if (!name.startsWith(prefix)) return;
    const other = name.slice(prefix.length).replace(/[:@].*$/, '');
    if (other === repository) return;
    for (const { digest } of layers) found.set(digest, [...(found.get(digest) ?? []), other]);
  };
  for (const { names, manifest } of await store.images.list()) {
    for (const name of names) note(name, manifest.layers);
  }
  for (const base of (await store.bases.list()).values()) {
    if (store.blobs.size(base.manifest.digest) === undefined) continue;
    try {
      const { manifest } = await store.images.read(base.manifest);
      note(base.reference, manifest.layers);
    } catch {
      // Its config is not there, or is damaged: then nothing is known of it.
    }
  }
  return found;
}
