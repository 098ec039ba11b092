import type { Descriptor, DiffId, Manifest, Reference } from '@caisson/oci';
import type { LayerWriting } from './write-layer.ts';

/** A blob on its way to a cache. */
export interface CacheBlob {
  readonly descriptor: Descriptor;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** Where a cache lies, or is to lie: a registry, or a folder. Disposing of it gives back what writing holds. */
export interface CachePlace extends AsyncDisposable {
  /** What messages call it. */
  readonly title: string;

  /** The manifest and the config of the cache that lies there; undefined where there is none. */
  read(
    signal: AbortSignal,
  ): Promise<{ readonly manifest: Manifest; readonly config: Uint8Array } | undefined>;

  /** The bytes of a blob; whoever gets to the end has the right ones. */
  open(descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Uint8Array>;

  /** The repository that blobs can be taken over from by the same registry. */
  readonly repository: Pick<Reference, 'registry' | 'repository'> | undefined;

  /** Whether a blob is there; then it need not be written. */
  has(descriptor: Descriptor, signal: AbortSignal): Promise<boolean>;

  /** Writes a layer of the store, unless it is there. @returns it as it lies there */
  writeLayer(diffId: DiffId, size: number, options: LayerWriting): Promise<Descriptor>;

  /** @param mountFrom names of images that should have it */
  write(blob: CacheBlob, mountFrom: readonly Reference[], signal: AbortSignal): Promise<void>;

  /** Makes what was written the cache: the manifest comes last, and what it names is there. */
  finish(manifest: Uint8Array, config: CacheBlob, signal: AbortSignal): Promise<void>;
}
