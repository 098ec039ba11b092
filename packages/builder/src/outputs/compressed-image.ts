import {
  digestOf,
  manifestBytes,
  MEDIA_TYPES,
  type Compression,
  type Descriptor,
  type Digest,
  type Manifest,
  type Platform,
} from '@caisson/oci';
import type { LayerFile } from '@caisson/registry';
import { atIntervals } from '../at-intervals.ts';
import type { Emit } from '../events.ts';
import type { Finished, FinishedImage } from './output.ts';

/** An image as an output has it. Disposing of it removes what was made for that. */
export interface CompressedImage extends AsyncDisposable {
  /** What it was built for. */
  readonly platform: Platform;
  readonly manifest: Manifest;
  /** Of the manifest. */
  readonly descriptor: Descriptor;
  /** The bytes of the manifest, the config or a layer. */
  readonly read: (digest: Digest) => AsyncIterable<Uint8Array>;
}

/** What compressing takes besides the image. */
export interface CompressOptions extends Pick<Finished, 'store' | 'session'> {
  /** Of layers that lie uncompressed in the store: others stay as they are. */
  readonly compression: Compression;
  /** What the output is called, for events. */
  readonly name: string;
  readonly emit: Emit;
  readonly signal: AbortSignal | undefined;
}

/** Compresses the layers of an image, in files of the session. @throws StoreError */
export async function compressImage(
  image: FinishedImage,
  { store, session, compression, name, emit, signal }: CompressOptions,
): Promise<CompressedImage> {
  const { config, platform } = image;
  if (compression === 'none') {
    const { manifest, descriptor } = image;
    const read = (digest: Digest): AsyncIterable<Uint8Array> => store.blobs.read(digest);
    return { platform, manifest, descriptor, read, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  // Loaded here: with it comes all that speaks to registries.
  const { compressLayer } = await import('@caisson/registry');
  await using stack = new AsyncDisposableStack();
  const files = new Map<Digest, LayerFile>();
  const layers: Descriptor[] = [];
  for (const [index, layer] of image.manifest.layers.entries()) {
    const diffId = config.rootfs.diff_ids[index];
    if (diffId === undefined) throw new Error('Internal error: an image that is not sound');
    const { digest, size } = layer;
    const onFar = atIntervals(size, (done) => emit({ kind: 'compress', name, digest, size, done }));
    const options = { store, session, compression, signal, onFar };
    const file = stack.use(await compressLayer(diffId, layer, options));
    const descriptor = await file.descriptor;
    files.set(descriptor.digest, file);
    layers.push(descriptor);
  }
  const bytes = manifestBytes(image.manifest.config, layers);
  const descriptor = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(bytes), size: bytes.length };
  const made = stack.move();
  return {
    platform,
    manifest: { ...image.manifest, layers },
    descriptor,
    read: (digest) =>
      digest === descriptor.digest ? once(bytes) : (files.get(digest)?.open() ?? store.blobs.read(digest)),
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** Bytes that are at hand, as a stream. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
