import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
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
import { compressedBlocks, settingOf } from './compressed-blocks.ts';

/** A layer in the form in which it travels. Disposing of it removes what was made for it. */
export interface LayerFile extends AsyncDisposable {
  readonly descriptor: Descriptor;
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

/**
 * A layer of the store as it travels, and remembers what it became.
 * @param onFar told how much of it is read, in bytes, where it has to be compressed
 */
export async function compressLayer(
  store: Store,
  session: Session,
  diffId: DiffId,
  layer: Descriptor,
  compression: Compression,
  signal: AbortSignal | undefined,
  onFar: (done: number) => void = () => {},
): Promise<LayerFile> {
  if (compression === 'none' || isCompressed(layer)) {
    return {
      descriptor: layer,
      open: () => store.blobs.read(layer.digest),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const path = session.newPath('compressed');
  const digester = new Digester();
  const meter = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      digester.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(
      compressedBlocks(counted(store.blobs.read(layer.digest), onFar), compression),
      meter,
      createWriteStream(path),
      signal === undefined ? {} : { signal },
    );
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  const form = { digest: digester.digest(), size: digester.size };
  store.lookUps.rememberCompressed(diffId, settingOf(compression), form);
  return {
    descriptor: { mediaType: layerMediaType(compression), ...form },
    open: () => createReadStream(path),
    [Symbol.asyncDispose]: () => rm(path, { force: true }),
  };
}
