import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import {
  Digester,
  layerCompression,
  layerMediaType,
  type Compression,
  type Descriptor,
  type DiffId,
} from '@caisson/oci';
import type { Session, Store } from '@caisson/store';

/** A layer in the form in which it travels. Disposing of it removes what was made for it. */
export interface LayerFile extends AsyncDisposable {
  readonly descriptor: Descriptor;
  open(): AsyncIterable<Uint8Array>;
}

const GZIP_LEVEL = 6;
const ZSTD_LEVEL = 3;

/** What the bytes of a compression depend on: another version of the compressor may write others. */
function settingOf(compression: Compression): string {
  const { zlib, zstd } = process.versions;
  return compression === 'gzip'
    ? `gzip:${GZIP_LEVEL} zlib:${zlib}`
    : `zstd:${ZSTD_LEVEL} zstd:${zstd ?? zlib}`;
}

/** What a layer is known to become; undefined where it has to be compressed to know. */
export function rememberedForm(
  store: Store,
  diffId: DiffId,
  layer: Descriptor,
  compression: Compression,
): Descriptor | undefined {
  if (travelsAsIs(layer, compression)) return layer;
  const known = store.lookUps.compressed(diffId, settingOf(compression));
  return known === undefined ? undefined : { mediaType: layerMediaType(compression), ...known };
}

function travelsAsIs(layer: Descriptor, compression: Compression): boolean {
  return compression === 'none' || layerCompression(layer.mediaType) !== 'none';
}

/** A layer of the store as it travels, and remembers what it became. */
export async function compressLayer(
  store: Store,
  session: Session,
  diffId: DiffId,
  layer: Descriptor,
  compression: Compression,
  signal: AbortSignal | undefined,
): Promise<LayerFile> {
  if (travelsAsIs(layer, compression)) {
    return {
      descriptor: layer,
      open: () => store.blobs.read(layer.digest),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const path = session.newPath('compressed');
  const digester = new Digester();
  const compressor =
    compression === 'gzip'
      ? createGzip({ level: GZIP_LEVEL })
      : createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } });
  const meter = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      digester.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(
      store.blobs.read(layer.digest),
      compressor,
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
