import type { Digest } from '@caisson/oci';
import type { ArrivingBlob, Store } from '@caisson/store';
import { RegistryError } from '@caisson/registry/errors';
import PQueue from 'p-queue';
import type { StateLayer } from '../state.ts';
import type { LayerProvider } from './chains.ts';

/** How many layers travel at once. */
export const TRANSFERS = 4;

/** Layers that are fetched, and read while they come. */
export class ArrivingLayers {
  readonly #store: Store;
  readonly #provide: LayerProvider;
  readonly #queue = new PQueue({ concurrency: TRANSFERS });
  /** Those that nobody has read yet. */
  readonly #begun = new Map<Digest, ArrivingBlob>();

  constructor(store: Store, provide: LayerProvider) {
    this.#store = store;
    this.#provide = provide;
  }

  /** Begins to fetch a layer, which will be taken sooner or later. */
  begin(layer: StateLayer): void {
    const { digest } = layer.descriptor;
    if (!this.#begun.has(digest)) this.#begun.set(digest, this.#bring(layer));
  }

  /** A layer to be read. */
  take(layer: StateLayer): ArrivingBlob {
    const { digest } = layer.descriptor;
    const begun = this.#begun.get(digest);
    this.#begun.delete(digest);
    return begun ?? this.#bring(layer);
  }

  /**
   * Waits for what is made of a layer; but not where a registry cannot give another one that nobody has read yet: it will be
   * asked for next.
   */
  unlessOneIsMissing<T>({ descriptor }: StateLayer, work: Promise<T>): Promise<T> {
    const missing = new Promise<never>((_resolve, reject) => {
      for (const [digest, { provided }] of this.#begun) {
        if (digest === descriptor.digest) continue; // what went wrong with it is told by who reads it
        provided.catch((error: unknown) => {
          if (error instanceof RegistryError) reject(error);
        });
      }
    });
    return Promise.race([work, missing]);
  }

  /** Forgets those that nobody has read yet: some may not have come. */
  clear(): void {
    this.#begun.clear();
  }

  /** Settles when none travels any more, also of those that nobody reads. */
  settled(): Promise<void> {
    return this.#queue.onIdle();
  }

  #bring(layer: StateLayer): ArrivingBlob {
    const provide = (): Promise<void> => this.#queue.add(() => this.#provide(layer));
    return this.#store.blobs.bring(layer.descriptor.digest, provide);
  }
}
