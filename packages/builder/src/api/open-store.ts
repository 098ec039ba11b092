import type { ImageConfig, Manifest, Digest } from '@caisson/oci';
import type { Pruned, Usage } from '@caisson/store';
import type { Verified } from '../verify/verify.ts';
import type { CommonOptions } from './build-options.ts';
import { checkOptions } from './check-options.ts';
import { defined } from './given/defined.ts';
import { placesOf } from './given/wire-request.ts';
import {
  callOptions,
  imageName,
  newName,
  pruneOptions,
  removeOptions,
  storeOptions,
  verifyOptions,
} from './option-schemas.ts';
import { inThread } from './thread/caller.ts';
import type { Job, StoreJob } from './thread/protocol.ts';

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
  /** How much may stay, in bytes, what was used last; nothing where it is not given. */
  readonly keepStorage?: number | undefined;
  /** Only say what would be taken. */
  readonly dryRun?: boolean | undefined;
}

/**
 * A store. It holds nothing open: each method does its work in the thread that builds have, and may be called at any time,
 * beside builds too.
 */
export interface Store {
  /** Its folder. */
  readonly root: string;
  /** All images. */
  images(options?: CallOptions): Promise<readonly StoreImage[]>;
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
  /** Removes what no named image needs: images without a name, and the cache. What running builds use stays. */
  prune(options?: PruneOptions): Promise<Pruned>;
  /** What the store takes on the disk, kind by kind. */
  usage(options?: CallOptions): Promise<readonly Usage[]>;
  /** Looks whether everything in the store is what it should be. */
  verify(options?: VerifyOptions): Promise<Verified>;
}

/**
 * Opens a store, and makes it where there is none.
 * @throws CaissonError `store` where the folder is no store, or not one of this user or version
 */
export async function openStore(options: CommonOptions = {}): Promise<Store> {
  const { signal, ...places } = checkOptions(storeOptions, options);
  const { root } = placesOf(places);
  /** Ended by the signal of the store, or by that of the call. */
  const does = <Kind extends StoreJob['kind']>(job: Extract<Job, { kind: Kind }>, call: CallOptions = {}) =>
    inThread<Kind>(job, { signal: either(signal, call.signal) });
  await does<'open'>({ kind: 'open', root });
  return {
    root,
    async images(given = {}) {
      const { value } = await does<'images'>({ kind: 'images', root }, checkOptions(callOptions, given));
      return value.map(({ id, descriptor, names, config, manifest }) => ({
        id,
        digest: descriptor.digest,
        names,
        config,
        manifest,
      }));
    },
    async tag(image, name, given = {}) {
      const names = {
        image: checkOptions(imageName, image, 'image'),
        name: checkOptions(newName, name, 'name'),
      };
      await does<'tag'>({ kind: 'tag', root, ...names }, checkOptions(callOptions, given));
    },
    async remove(image, given = {}) {
      const { force = false, ...call } = checkOptions(removeOptions, given);
      const named = checkOptions(imageName, image, 'image');
      return (await does<'remove'>({ kind: 'remove', root, image: named, isForced: force }, call)).value;
    },
    async prune(given = {}) {
      const { unusedFor, keepStorage, dryRun = false, ...call } = checkOptions(pruneOptions, given);
      const what = { isDryRun: dryRun, ...defined({ unusedFor, reserved: keepStorage }) };
      return (await does<'prune'>({ kind: 'prune', root, ...what }, call)).value;
    },
    async usage(given = {}) {
      return (await does<'usage'>({ kind: 'usage', root }, checkOptions(callOptions, given))).value;
    },
    async verify(given = {}) {
      const { repair = false, ...call } = checkOptions(verifyOptions, given);
      return (await does<'verify'>({ kind: 'verify', root, isRepair: repair }, call)).value;
    },
  };
}

function either(first: AbortSignal | undefined, second: AbortSignal | undefined): AbortSignal | undefined {
  return first === undefined || second === undefined ? (first ?? second) : AbortSignal.any([first, second]);
}
