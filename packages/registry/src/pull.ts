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
 * An image that is being fetched: each of its layers can be had by itself, and with all of them it gets its name. Nothing is
 * named before all of it is there and checked.
 */
export class ImagePull implements AsyncDisposable {
  readonly image: RemoteImage;
  readonly #client: RegistryClient;
  readonly #reference: Reference;
  readonly #options: PullOptions;
  readonly #layers: ReadonlyMap<Digest, Descriptor>;
  readonly #fetches = new Map<Digest, Promise<void>>();
  readonly #cancel = new AbortController();
  #finished: Promise<void> | undefined;

  /** Nothing is fetched yet. */
  constructor(client: RegistryClient, reference: Reference, image: RemoteImage, options: PullOptions) {
    this.#client = client;
    this.#reference = reference;
    this.image = image;
    this.#options = options;
    this.#layers = new Map(image.manifest.layers.map((layer) => [layer.digest, layer]));
    for (const { digest, size } of this.#layers.values())
      options.onTransfer?.({ digest, done: 0, size, wasThere: false });
  }

  /** Fetches a layer, unless it is there; once, however many ask. @throws RegistryError, StoreError */
  layer(digest: Digest): Promise<void> {
    const { signal } = this.#cancel;
    return this.#once(digest, signal);
  }

  /** Fetches what is still missing and names the image. @throws RegistryError, StoreError */
  finish(): Promise<void> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<void> {
    const { store, session } = this.#options;
    const fetchOne = (digest: Digest, _index: number, either: AbortSignal): Promise<void> =>
      this.#once(digest, either);
    await transferAll(this.#layers.keys(), fetchOne, this.#cancel.signal);
    await putDocuments(this.image, store, session);
    await store.barrier();
    await store.images.add(session, this.image.descriptor, [formatReference(this.#reference)]);
  }

  #once(digest: Digest, either: AbortSignal): Promise<void> {
    const known = this.#fetches.get(digest) ?? this.#fetch(digest, either);
    this.#fetches.set(digest, known);
    return known;
  }

  async #fetch(digest: Digest, either: AbortSignal): Promise<void> {
    either.throwIfAborted(); // nothing of the session is touched after the end of this
    const { store, session, onTransfer, signal } = this.#options;
    const layer = this.#layers.get(digest);
    if (layer === undefined) throw new Error(`Internal error: ${digest} is no layer of the image`);
    const { size } = layer;
    let done = 0;
    const onProgress = (received: number): void => {
      done = received;
      onTransfer?.({ digest, done, size, wasThere: false });
    };
    const ends = signal === undefined ? either : AbortSignal.any([either, signal]);
    const what = `a layer of ${familiarName(this.#reference)}`;
    const options = { store, session, what, onProgress, signal: ends };
    await fetchBlob(this.#client, this.#reference, layer, options);
    if (done === 0) onTransfer?.({ digest, done: size, size, wasThere: true });
  }

  /** Ends what is still being fetched. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel.abort();
    await Promise.allSettled([this.#finished, ...this.#fetches.values()]);
  }
}

/**
 * Fetches an image, with all its layers, and names it.
 * @throws RegistryError, StoreError
 */
export async function pullImage(
  client: RegistryClient,
  reference: Reference,
  options: PullOptions,
): Promise<RemoteImage> {
  const image = await fetchImage(client, reference, options.platform, options.signal);
  await using pull = new ImagePull(client, reference, image, options);
  await pull.finish();
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
