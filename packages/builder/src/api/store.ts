import type { Compression, Descriptor, Digest, ImageConfig, Manifest } from '@caisson/oci';
import type { EntryKind, EntryUsage, Pruned, Usage } from '@caisson/store';
import type { PullEvent } from '../images/pull.ts';
import type { PushEvent } from '../images/push.ts';
import type { Verified } from '../verify/verify.ts';
import type { RegistryAccessOptions } from './build-options.ts';
import type { LostEvents } from './event-bounds.ts';
import type { PastBuild } from './past-build.ts';
import type { Running } from './running.ts';

/** An image of the store. */
export interface StoreImage {
  /** The image id, the digest of its config. */
  readonly id: Digest;
  /** The digest of its manifest. */
  readonly digest: Digest;
  /** The full names that it goes by; none for one that lost its name to a newer one. */
  readonly names: readonly string[];
  readonly config: ImageConfig;
  readonly manifest: Manifest;
}

/** What every method of a store takes. */
export interface CallOptions {
  /** Ends the call, as the signal that the store was opened with ends all of them. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link Store.builds} takes. */
export interface BuildsOptions extends CallOptions {
  /** How many of the last builds; all that are known, 50 at most, where it is not given. */
  readonly limit?: number | undefined;
}

/** What {@link Store.remove} takes. */
export interface RemoveOptions extends CallOptions {
  /** An image that is named by its id loses all its names. */
  readonly force?: boolean | undefined;
}

/** What {@link Store.verify} takes. */
export interface VerifyOptions extends CallOptions {
  /** What is wrong is removed: it is made or fetched again when something needs it. */
  readonly repair?: boolean | undefined;
}

/** What {@link Store.prune} may take. */
export interface PruneOptions extends CallOptions {
  /** Only what was not used for this long, in milliseconds. */
  readonly unusedFor?: number | undefined;
  /** Only entries of these kinds, as {@link Store.entries} calls them. */
  readonly kinds?: readonly EntryKind[] | undefined;
  /** Only entries whose ids begin with one of these. */
  readonly ids?: readonly string[] | undefined;
  /** How much may stay, in bytes, what was used last; nothing where neither this nor another bound is given. */
  readonly keepStorage?: number | undefined;
  /** What the cache may take afterwards, in bytes. */
  readonly maxUsedSpace?: number | undefined;
  /** How much of the disk is to be free afterwards, in bytes. */
  readonly minFreeSpace?: number | undefined;
  /** Only say what would be taken. */
  readonly dryRun?: boolean | undefined;
}

/** What {@link Store.pull} takes. */
export interface PullOptions extends CallOptions {
  /** Which of the images of the name: `linux/arm64`; this machine's platform where it is not given. */
  readonly platform?: string | undefined;
  readonly registry?: RegistryAccessOptions | undefined;
}

/** An image that was pulled. */
export interface PulledImage extends StoreImage {
  /** What the name points to in the registry: an index, or the manifest itself. */
  readonly tagDigest: Digest;
}

/** A pull that goes on: a promise of the image, and an async iterable of how far each layer is. */
export type Pull = Running<PullEvent | LostEvents, PulledImage>;

/** What {@link Store.push} takes. */
export interface PushOptions extends CallOptions {
  /** How layers that lie uncompressed in the store travel; `gzip` where it is not given. */
  readonly compression?: Compression | undefined;
  readonly registry?: RegistryAccessOptions | undefined;
}

/** Where an image was sent to. */
export interface PushedImage {
  /** Its name, as people write it. */
  readonly name: string;
  /** The digest of its manifest as the registry has it. */
  readonly digest: Digest;
  /** The descriptor of that manifest. */
  readonly manifest: Descriptor;
}

/** A push that goes on: a promise of what the registry has, and an async iterable of how far each blob is. */
export type Push = Running<PushEvent | LostEvents, PushedImage>;

/**
 * A store. It holds nothing open: each method does its work in the thread that builds have, and may be called at any time,
 * beside builds too. It need not be closed; `await using` ends what its methods do with its block.
 */
export interface Store extends AsyncDisposable {
  /** Its folder. */
  readonly root: string;
  /** All images. */
  images(options?: CallOptions): Promise<readonly StoreImage[]>;
  /**
   * One image.
   * @param image a name, an image id or the beginning of one
   * @throws CaissonError `no-such-image`, or `store` for the beginning of several ids
   */
  image(image: string, options?: CallOptions): Promise<StoreImage>;
  /**
   * Fetches an image from its registry, under its name. Nothing is named before all of it is there and checked.
   * @param name `debian:12`, `registry.example.com/app@sha256:...`
   * @throws CaissonError `registry`, `bad-image`
   */
  pull(name: string, options?: PullOptions): Pull;
  /**
   * Sends an image to the registry that its name speaks of. What the registry has is not sent again.
   * @throws CaissonError `no-such-image`, `registry`
   */
  push(name: string, options?: PushOptions): Push;
  /**
   * Gives an image another name. An image that has the name now loses it.
   * @param image a name, an image id or the beginning of one
   * @throws CaissonError `no-such-image`
   */
  tag(image: string, name: string, options?: CallOptions): Promise<void>;
  /**
   * Takes a name away from an image; an image without a name goes. Its layers stay as cache.
   * @param image a name, an image id or the beginning of one
   * @returns the names that were taken away
   * @throws CaissonError `no-such-image`, or `store` for an id with several names
   */
  remove(image: string, options?: RemoveOptions): Promise<readonly string[]>;
  /** The last builds, the newest first: what became of them, of each step, why it ran, and where its log lies. */
  builds(options?: BuildsOptions): Promise<readonly PastBuild[]>;
  /** Removes what no named image needs: images without a name, and the cache. What running builds use stays. */
  prune(options?: PruneOptions): Promise<Pruned>;
  /** What the store takes on the disk, kind by kind. */
  usage(options?: CallOptions): Promise<readonly Usage[]>;
  /** Everything that the store holds, what it takes, and what keeps it: images, then the cache, what was used last first. */
  entries(options?: CallOptions): Promise<readonly EntryUsage[]>;
  /** Looks whether everything in the store is what it should be. */
  verify(options?: VerifyOptions): Promise<Verified>;
  /** Ends what its methods still do: that is rejected as cancelled, as what they are asked for later. Resolved when it has ended. */
  [Symbol.asyncDispose](): Promise<void>;
}
