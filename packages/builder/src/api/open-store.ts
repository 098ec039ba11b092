import type { ImageConfig, Manifest, Digest } from '@caisson/oci';
import type { Pruned, Usage } from '@caisson/store';
import type { Verified } from '../verify/verify.ts';
import type { CommonOptions } from './build-options.ts';
import { checkOptions } from './check-options.ts';
import { defined } from './given/defined.ts';
import { placesOf } from './given/wire-request.ts';
import {
  imageName,
  newName,
  pruneOptions,
  removeOptions,
  storeOptions,
  verifyOptions,
} from './option-schemas.ts';
import { inThread } from './thread/caller.ts';

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

/** What {@link Store.prune} may take. */
export interface PruneOptions {
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
  images(): Promise<readonly StoreImage[]>;
  /**
   * Gives an image another name. An image that has the name now loses it.
   * @param image a name, an image id or the beginning of one
   * @throws CaissonError `no-such-image`
   */
  tag(image: string, name: string): Promise<void>;
  /**
   * Takes a name away from an image; an image without a name goes. Its layers stay as cache.
   * @param image a name, an image id or the beginning of one
   * @param options with `force`, an image that is named by its id loses all its names
   * @returns the names that were taken away
   * @throws CaissonError `no-such-image`, or `store` for an id with several names
   */
  remove(image: string, options?: { readonly force?: boolean | undefined }): Promise<readonly string[]>;
  /** Removes what no named image needs: images without a name, and the cache. What running builds use stays. */
  prune(options?: PruneOptions): Promise<Pruned>;
  /** What the store takes on the disk, kind by kind. */
  usage(): Promise<readonly Usage[]>;
  /**
   * Looks whether everything in the store is what it should be.
   * @param options with `repair`, what is wrong is removed: it is made or fetched again when something needs it
   */
  verify(options?: { readonly repair?: boolean | undefined }): Promise<Verified>;
}

/**
 * Opens a store, and makes it where there is none.
 * @throws CaissonError `store` where the folder is no store, or not one of this user or version
 */
export async function openStore(options: CommonOptions = {}): Promise<Store> {
  const { signal, ...places } = checkOptions(storeOptions, options);
  const { root } = placesOf(places);
  await inThread<'open'>({ kind: 'open', root }, { signal });
  return {
    root,
    async images() {
      const { value } = await inThread<'images'>({ kind: 'images', root }, { signal });
      return value.map(({ id, descriptor, names, config, manifest }) => ({
        id,
        digest: descriptor.digest,
        names,
        config,
        manifest,
      }));
    },
    async tag(image, name) {
      const names = {
        image: checkOptions(imageName, image, 'image'),
        name: checkOptions(newName, name, 'name'),
      };
      await inThread<'tag'>({ kind: 'tag', root, ...names }, { signal });
    },
    async remove(image, given = {}) {
      const { force = false } = checkOptions(removeOptions, given);
      const { value } = await inThread<'remove'>(
        { kind: 'remove', root, image: checkOptions(imageName, image, 'image'), isForced: force },
        { signal },
      );
      return value;
    },
    async prune(given = {}) {
      const { unusedFor, keepStorage, dryRun = false } = checkOptions(pruneOptions, given);
      const what = { isDryRun: dryRun, ...defined({ unusedFor, reserved: keepStorage }) };
      const { value } = await inThread<'prune'>({ kind: 'prune', root, ...what }, { signal });
      return value;
    },
    async usage() {
      return (await inThread<'usage'>({ kind: 'usage', root }, { signal })).value;
    },
    async verify(given = {}) {
      const { repair = false } = checkOptions(verifyOptions, given);
      return (await inThread<'verify'>({ kind: 'verify', root, isRepair: repair }, { signal })).value;
    },
  };
}
