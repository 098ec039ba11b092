import {
  familiarName,
  formatPlatform,
  formatReference,
  type Descriptor,
  type Digest,
  type Platform,
  type Reference,
} from '@caisson/oci';
import type { DistantLayer } from '@caisson/registry';
import { RegistryError } from '@caisson/registry/errors';
import { StoreError, type RememberedBase, type Session, type Store, type StoredImage } from '@caisson/store';
import type { BaseOrigin, Emit } from '../events.ts';
import { atIntervals } from '../at-intervals.ts';
import { optionWords } from '../option-words.ts';
import { buildError } from '../failure.ts';
import type { PullPolicy } from '../request.ts';
import type { StateLayer } from '../state.ts';
import { tellMeaning } from '../images/name-meaning.ts';
import type { RegistryAccess } from './registry-access.ts';
import { Once } from '../once.ts';

/** What asking registries for base images needs. */
export interface RemoteBasesOptions {
  readonly store: Store;
  readonly session: Session;
  readonly pull: PullPolicy;
  readonly registry: RegistryAccess;
  readonly emit: Emit;
  readonly signal: AbortSignal | undefined;
}

/** An image and where it was found. */
export interface FoundBase {
  readonly image: StoredImage;
  readonly from: BaseOrigin;
}

/** How long what a registry said of a tag is believed, in milliseconds. */
const FRESH = 60_000;

/**
 * Base images of registries. What was fetched is remembered, under no name of the user's; its tag is asked for again at
 * each build, but not more than once a minute. Layers are fetched when something needs their bytes.
 */
export class RemoteBases {
  readonly #options: RemoteBasesOptions;
  readonly #sources = new Map<Digest, Reference>();
  readonly #fetches = new Once<Digest, Promise<void>>();

  constructor(options: RemoteBasesOptions) {
    this.#options = options;
  }

  /** @throws BuildError `no-such-image`, RegistryError, StoreError */
  async find(reference: Reference, platform: Platform): Promise<FoundBase> {
    const found = await this.#find(reference, platform);
    for (const { digest } of found.image.manifest.layers) this.#sources.set(digest, reference);
    return found;
  }

  async #find(reference: Reference, platform: Platform): Promise<FoundBase> {
    const { store, session, pull } = this.#options;
    const name = formatReference(reference);
    const remembered = await store.bases.get(session, name, formatPlatform(platform));
    const known = remembered === undefined ? undefined : await this.#read(remembered);
    if (known === undefined || remembered === undefined) {
      if (pull === 'never') throw noSuchImage(reference);
      return { image: await this.#fetch(reference, platform), from: 'registry' };
    }
    if (!mustAsk(reference, remembered, pull)) return { image: known, from: 'remembered' };
    try {
      return { image: await this.#ask(reference, platform, remembered, known), from: 'registry' };
    } catch (error) {
      if (pull === 'always' || !isOutOfReach(error)) throw error;
      this.#options.emit({
        kind: 'warning',
        message: `${error.message}; ${familiarName(reference)} is used as it was fetched before`,
      });
      return { image: known, from: 'remembered' };
    }
  }

  /** The image that is remembered; undefined where it is no longer there, or damaged. */
  async #read({ manifest }: RememberedBase): Promise<StoredImage | undefined> {
    const { store, session } = this.#options;
    try {
      const image = await store.images.read(manifest);
      await session.hold(manifest.digest, image.id);
      return await store.images.read(manifest); // held now: it stays
    } catch (error) {
      if (error instanceof StoreError) return undefined;
      throw error;
    }
  }

  /** Asks what the tag points to now; only if that is new, the manifest is read. */
  async #ask(
    reference: Reference,
    platform: Platform,
    remembered: RememberedBase,
    known: StoredImage,
  ): Promise<StoredImage> {
    const { store, session, registry, signal } = this.#options;
    const { client, resolveDigest } = await registry.open();
    const digest = await resolveDigest(client, reference, signal);
    if (digest !== remembered.tagDigest) return this.#fetch(reference, platform);
    await store.bases.put(session, { ...remembered, checkedAt: Date.now() });
    return known;
  }

  async #fetch(reference: Reference, platform: Platform): Promise<StoredImage> {
    const { store, session, registry, signal } = this.#options;
    const { client, fetchImage, putDocuments } = await registry.open();
    const remote = await tellMeaning(reference, () => fetchImage(client, reference, platform, signal));
    const { descriptor, manifest, config, tagDigest } = remote;
    await session.hold(descriptor.digest, manifest.config.digest);
    await putDocuments(remote, store, session);
    await store.bases.put(session, {
      reference: formatReference(reference),
      platform: formatPlatform(platform),
      tagDigest,
      manifest: { mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size },
      checkedAt: Date.now(),
    });
    return { id: manifest.config.digest, descriptor, manifest, config };
  }

  /** Brings the blob of a layer into the store, if it is not there. It is fetched once, however many ask. */
  provide(layer: StateLayer): Promise<void> {
    const { descriptor } = layer;
    return this.#fetches.get(descriptor.digest, () => this.#provide(descriptor));
  }

  /** Where a layer of a base lies that is not in the store: it is fetched on its way. */
  elsewhere(descriptor: Descriptor): DistantLayer | undefined {
    const { store } = this.#options;
    const { digest } = descriptor;
    const repository = this.#sources.get(digest);
    if (repository === undefined) return undefined;
    const provide = (): Promise<void> => this.#fetches.get(digest, () => this.#provide(descriptor));
    async function* open(): AsyncGenerator<Uint8Array> {
      await provide();
      yield* store.blobs.read(digest);
    }
    return { descriptor, repository, open };
  }

  async #provide(descriptor: Descriptor): Promise<void> {
    const { store, session, registry, emit, signal } = this.#options;
    const { digest, size } = descriptor;
    const reference = this.#sources.get(digest);
    if (reference === undefined) {
      if (await store.blobs.has(session, digest)) return;
      throw buildError('store', `the layer ${digest} is no longer in the store, or is damaged`, {
        hint: `build again with ${optionWords().noCache}, or pull the image that it is of`,
      });
    }
    const image = familiarName(reference);
    const onProgress = atIntervals(size, (received) =>
      emit({ kind: 'fetch', image, digest, received, size }),
    );
    const options = { store, session, what: `a layer of ${image}`, onProgress, signal };
    if (await store.blobs.has(session, digest)) return;
    const { client, fetchBlob } = await registry.open();
    await fetchBlob(client, reference, descriptor, options);
  }
}

function mustAsk({ digest }: Reference, { checkedAt }: RememberedBase, pull: PullPolicy): boolean {
  if (pull === 'always') return true;
  if (pull === 'missing' || pull === 'never' || digest !== undefined) return false;
  const age = Date.now() - checkedAt;
  return age < 0 || age > FRESH;
}

/** Whether it was the way to a registry that failed, and not what was asked for. */
export function isOutOfReach(error: unknown): error is RegistryError {
  return (
    error instanceof RegistryError &&
    ['unreachable', 'timeout', 'unavailable', 'rate-limited'].includes(error.code)
  );
}

function noSuchImage(reference: Reference): Error {
  return buildError(
    'no-such-image',
    `no image ${familiarName(reference)} is in the store, and ${optionWords().pullNever} forbids to ask its registry`,
  );
}
