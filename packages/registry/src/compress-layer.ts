import {
  Digester,
  layerCompression,
  layerMediaType,
  type Compression,
  type Descriptor,
  type DiffId,
} from '@caisson/oci';
import type { Session, Store } from '@caisson/store';
import { counted } from './counted.ts';
import { compressedBlocks, settingOf, type Compressor, type ReadBlocks } from './compressed-blocks.ts';
import { throwIfAborted } from './errors.ts';
import { GrowingFile } from './growing-file.ts';

/** A layer in the form in which it travels. Disposing of it ends what is made for it, and removes that. */
export interface LayerFile extends AsyncDisposable {
  /** Known once all of it is made. */
  readonly descriptor: Promise<Descriptor>;
  /** The bytes, from the beginning; waits for what is not made yet. */
  open(): AsyncIterable<Uint8Array>;
}

/** What a layer is known to become; undefined where it has to be compressed to know. */
export function rememberedForm(
  store: Store,
  diffId: DiffId,
  layer: Descriptor,
  compression: Compression,
): Descriptor | undefined {
  if (compression === 'none' || isCompressed(layer)) return layer;
  const known = store.lookUps.compressed(diffId, settingOf(compression));
  return known === undefined ? undefined : { mediaType: layerMediaType(compression), ...known };
}

function isCompressed(layer: Descriptor): boolean {
  return layerCompression(layer.mediaType) !== 'none';
}

/** What compressing a layer needs. */
export interface CompressOptions {
  readonly store: Store;
  readonly session: Session;
  readonly compression: Compression;
  readonly signal: AbortSignal | undefined;
  /** Told how much of the layer is read, in bytes, where it has to be compressed. */
  readonly onFar?: (done: number) => void;
}

/**
 * A layer of the store as it travels. Where it has to be compressed, that begins, and what it became is remembered.
 * @throws StoreError, and so does what it gives
 */
export async function compressLayer(
  diffId: DiffId,
  layer: Descriptor,
  options: CompressOptions,
): Promise<LayerFile> {
  const { store, session, compression } = options;
  if (compression === 'none' || isCompressed(layer)) {
    return {
      descriptor: Promise.resolve(layer),
      open: () => store.blobs.read(layer.digest),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const file = await GrowingFile.create(session.newPath('compressed'));
  const cancel = new AbortController();
  const descriptor = compressInto(file, diffId, layer, compression, options, cancel.signal);
  descriptor.catch(() => {}); // who wants to know it is told
  return {
    descriptor,
    open: () => file.bytes(),
    [Symbol.asyncDispose]: async () => {
      cancel.abort();
      await Promise.allSettled([descriptor]);
      await file[Symbol.asyncDispose]();
    },
  };
}

async function compressInto(
  file: GrowingFile,
  diffId: DiffId,
  layer: Descriptor,
  compressor: Compressor,
  { store, signal, onFar = () => {} }: CompressOptions,
  cancel: AbortSignal,
): Promise<Descriptor> {
  const digester = new Digester();
  const read: ReadBlocks = (memory) => counted(store.blobs.read(layer.digest, memory), onFar);
  for await (const block of compressedBlocks(read, compressor)) {
    throwIfAborted(signal);
    throwIfAborted(cancel);
    digester.update(block);
    await file.append(block);
  }
  file.complete();
  const form = { digest: digester.digest(), size: digester.size };
  store.lookUps.rememberCompressed(diffId, settingOf(compressor), form);
  return { mediaType: layerMediaType(compressor), ...form };
}
