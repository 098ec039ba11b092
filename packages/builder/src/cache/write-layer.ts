import { MEDIA_TYPES, type Descriptor, type DiffId } from '@caisson/oci';
import type { SendLayerOptions } from '@caisson/registry';
import { toldBytes } from '../told-bytes.ts';
import type { CachePlace } from './cache-place.ts';

/** What writing a layer of the store needs. */
export interface LayerWriting extends Pick<SendLayerOptions, 'store' | 'session' | 'compression'> {
  /** Told how much of it is read that has to be compressed, in bytes. */
  readonly onCompress: (done: number) => void;
  /** Told how much of a blob is written, in bytes. */
  readonly onSent: (blob: Pick<Descriptor, 'digest' | 'size'>, sent: number) => void;
  readonly signal: AbortSignal;
}

/** A layer as it lies uncompressed in the store. */
export function storedLayer(digest: DiffId, size: number): Descriptor {
  return { mediaType: MEDIA_TYPES.ociLayerTar, digest, size };
}

/** Writes a layer of the store, compressed as a whole first, unless it is there. @returns it as it lies there */
export async function writeLayer(
  place: Pick<CachePlace, 'has' | 'write'>,
  diffId: DiffId,
  size: number,
  { store, session, compression, onCompress: onFar, onSent, signal }: LayerWriting,
): Promise<Descriptor> {
  const { compressLayer, rememberedForm } = await import('@caisson/registry');
  const layer = storedLayer(diffId, size);
  const known = rememberedForm(store, diffId, layer, compression);
  if (known !== undefined && (await place.has(known, signal))) return known;
  await session.hold(diffId);
  await using form = await compressLayer(diffId, layer, { store, session, compression, signal, onFar });
  const descriptor = await form.descriptor;
  if (descriptor.digest !== known?.digest && (await place.has(descriptor, signal))) return descriptor;
  const open = () => toldBytes(form.open(), descriptor.size, (sent) => onSent(descriptor, sent));
  await place.write({ descriptor, open }, [], signal);
  return descriptor;
}
