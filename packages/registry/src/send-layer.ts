import type { Compression, Descriptor, Digest, DiffId } from '@caisson/oci';
import type { Session, Store } from '@caisson/store';
import type { BlobPusher } from './blob-pusher.ts';
import { compressLayer, rememberedForm } from './compress-layer.ts';
import { LayersUnderWay } from './layers-under-way.ts';

/** In bytes. A layer that has to be compressed and is at least as large is sent while that is done. */
const LARGE = 16 << 20;

/** Of all builds of this process: one that pushes an image, and exports a cache to the same registry, does both at once. */
const UNDER_WAY = new LayersUnderWay();

/** What sending a layer needs. */
export interface SendLayerOptions {
  readonly store: Store;
  readonly session: Session;
  /** How a layer that lies uncompressed in the store travels. Others travel as they are. */
  readonly compression: Compression;
  /** Told how much of a layer is read that has to be compressed, in bytes. */
  readonly onCompress?: ((layer: Pick<Descriptor, 'digest' | 'size'>, done: number) => void) | undefined;
  /** Repositories of the registry that may have a blob, besides those of which the store knows that. */
  readonly mountFrom?: ((digest: Digest) => readonly string[]) | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Brings a layer of the store to a repository in the compression that was asked for. It is compressed only where neither
 * that repository nor another of the registry is known to have what it becomes.
 * @returns its descriptor as the registry has it
 * @throws RegistryError, StoreError
 */
export function sendLayer(
  pusher: BlobPusher,
  diffId: DiffId,
  layer: Descriptor,
  options: SendLayerOptions,
): Promise<Descriptor> {
  const { store, compression, signal } = options;
  const name = `${pusher.registry} ${diffId} ${compression} ${store.root}`;
  return UNDER_WAY.inTurn(name, () => sendNow(pusher, diffId, layer, options), signal);
}

async function sendNow(
  pusher: BlobPusher,
  diffId: DiffId,
  layer: Descriptor,
  { store, session, compression, onCompress, mountFrom = () => [], signal }: SendLayerOptions,
): Promise<Descriptor> {
  const known = rememberedForm(store, diffId, layer, compression);
  if (known !== undefined) {
    if (await pusher.isThere(known, signal)) return known;
    // One that need not be compressed is asked for when it is sent.
    const isCompressed = known !== layer;
    if (isCompressed && (await pusher.takeOver(known, mountFrom(known.digest), signal))) return known;
  }
  await session.hold(layer.digest);
  const onFar = (done: number): void => onCompress?.(layer, done);
  await using form = await compressLayer(diffId, layer, { store, session, compression, signal, onFar });
  const takesLong = known !== layer && layer.size >= LARGE;
  await using early = takesLong ? await pusher.begin(() => form.open(), signal) : undefined;
  const descriptor = await form.descriptor;
  if (descriptor.digest !== known?.digest && (await pusher.isThere(descriptor, signal))) return descriptor;
  const blob = { ...descriptor, open: () => form.open() };
  if (early !== undefined && (await pusher.finish(early, blob, signal))) return descriptor;
  await pusher.send(blob, mountFrom(descriptor.digest), signal);
  return descriptor;
}
