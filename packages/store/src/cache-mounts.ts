import {
  chmodSync,
  chownSync,
  existsSync,
  fstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, digestOf, hexOf } from '@caisson/oci';
import { errorCode, ownerError } from '@caisson/sys';
import { awayNote, bringBack } from './away-caches.ts';
import { lockFile, tryLockFile, type HeldLock, type LockOptions } from './lock.ts';
import type { StorePaths } from './paths.ts';
import { removeTree } from './remove-tree.ts';
import type { Session } from './session.ts';
import type { Sizes } from './sizes.ts';

/** Which cache is meant, and how it begins: empty, with a mode and an owner, or with some files. */
export type CacheMountName =
  | { readonly id: string; readonly mode: number; readonly uid: number; readonly gid: number }
  | {
      readonly id: string;
      /** What the files are known by. */
      readonly seed: string;
    };

/** A cache folder that is in use. Disposing of it lets others have it. */
export interface OpenCacheMount extends Disposable {
  readonly path: string;
  /** A file which says where the folder is while its user has moved it. */
  readonly away: string;
  /** What its use is noted under. */
  readonly useName: string;
}

const MOST_PRIVATE = 64;

/**
 * The folders of `RUN --mount=type=cache`. They outlive builds, are in no layer and no key, and whoever uses one holds a
 * kernel lock on it.
 */
export class CacheMounts {
  readonly #paths: StorePaths;
  readonly #sizes: Sizes;
  readonly #lockOptions: LockOptions;

  constructor(paths: StorePaths, sizes: Sizes, lockOptions: LockOptions) {
    this.#paths = paths;
    this.#sizes = sizes;
    this.#lockOptions = lockOptions;
  }

  /**
   * Opens a cache, and makes it where there is none.
   * @param sharing `shared`: beside others; `locked`: after others; `private`: another one, if it is in use
   * @param fill puts into a new one what it begins with
   * @param waiting how to wait for others, where that is not as everywhere
   */
  async open(
    name: CacheMountName,
    sharing: 'shared' | 'private' | 'locked',
    session: Session,
    fill: (folder: string) => Promise<void> = () => Promise.resolve(),
    waiting: LockOptions = {},
  ): Promise<OpenCacheMount> {
    const lock = await this.#take(name, sharing, { ...this.#lockOptions, ...waiting });
    try {
      const path = this.path(lock.slot);
      if (!existsSync(path)) bringBack(path);
      if (!existsSync(path)) await make(name, path, session, fill);
      this.#sizes.forget(cacheMountName(lock.slot)); // what it takes from now on is not known
      return {
        path,
        away: awayNote(path),
        useName: cacheMountName(lock.slot),
        [Symbol.dispose]: () => lock[Symbol.dispose](),
      };
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  async #take(
    name: CacheMountName,
    sharing: 'shared' | 'private' | 'locked',
    waiting: LockOptions,
  ): Promise<TakenSlot> {
    mkdirSync(this.#paths.cacheMounts, { recursive: true, mode: 0o700 });
    const base = slotOf(name);
    if (sharing !== 'private') {
      const kind = sharing === 'locked' ? 'exclusive' : 'shared';
      return taken(base, name, await lockFile(this.#lockOf(base), kind, waiting));
    }
    for (let number = 0; number < MOST_PRIVATE; number++) {
      const slot = number === 0 ? base : `${base}-${number}`;
      const lock = tryLockFile(this.#lockOf(slot), 'exclusive');
      if (lock !== undefined) return taken(slot, name, lock);
    }
    return taken(base, name, await lockFile(this.#lockOf(base), 'exclusive', waiting));
  }

  /** Empties the caches of a name that nobody uses. */
  async discard(session: Session, name: CacheMountName): Promise<void> {
    const base = slotOf(name);
    for (const slot of this.slots()) {
      if (slot === base || slot.startsWith(`${base}-`)) await this.remove(session, slot);
    }
  }

  /** The folders that are there. */
  slots(): string[] {
    if (!existsSync(this.#paths.cacheMounts)) return [];
    return readdirSync(this.#paths.cacheMounts).filter((name) => !name.includes('.'));
  }

  /** Whether somebody uses a folder now. */
  isInUse(slot: string): boolean {
    using lock = tryLockFile(this.#lockOf(slot), 'exclusive');
    return lock === undefined;
  }

  /** What a folder is called: the id of its mounts. */
  title(slot: string): string {
    try {
      return readFileSync(this.#lockOf(slot), 'utf8');
    } catch {
      return '';
    }
  }

  /** Where a folder lies. */
  path(slot: string): string {
    return join(this.#paths.cacheMounts, slot);
  }

  /** Removes a folder, unless somebody uses it. @returns whether it is gone */
  async remove(session: Session, slot: string): Promise<boolean> {
    using lock = tryLockFile(this.#lockOf(slot), 'exclusive');
    if (lock === undefined) return false;
    this.#sizes.forget(cacheMountName(slot));
    bringBack(this.path(slot));
    const gone = session.newPath('gone');
    try {
      await rename(this.path(slot), gone);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error; // somebody else has removed it
    }
    rmSync(this.#lockOf(slot), { force: true });
    removeTree(gone);
    return true;
  }

  #lockOf(slot: string): string {
    return join(this.#paths.cacheMounts, `${slot}.lock`);
  }
}

interface TakenSlot extends Disposable {
  readonly slot: string;
}

/** Of what is locked, the file of the lock says what it is called, for people. */
function taken(slot: string, { id }: CacheMountName, lock: HeldLock): TakenSlot {
  const title = id.replace(/\/\/[^/@]*@/, '//'); // a URL may have a password
  if (fstatSync(lock.fd).size === 0) writeSync(lock.fd, title, 0);
  return { slot, [Symbol.dispose]: () => lock[Symbol.dispose]() };
}

/** A cache is there when all of it is there. Two that share it may both make it: the first one counts. */
async function make(
  name: CacheMountName,
  path: string,
  session: Session,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = session.newPath('cache');
  mkdirSync(folder);
  await fill(folder);
  if (!('seed' in name)) {
    chmodSync(folder, name.mode);
    giveTo(folder, name);
  }
  try {
    await rename(folder, path);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
  }
}

function giveTo(folder: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  try {
    chownSync(folder, uid, gid);
  } catch (error) {
    throw ownerError(error, 'the cache mount', { uid, gid });
  }
}

/** The folder of a cache. */
function slotOf(name: CacheMountName): string {
  return hexOf(digestOf(canonicalJson({ ...name }))).slice(0, 32);
}

/** What the use of a folder is noted under. */
export function cacheMountName(slot: string): string {
  return `cache ${slot}`;
}
