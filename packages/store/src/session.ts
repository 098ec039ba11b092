import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode, tryLock, unlock } from '@caisson/sys';
import { bringBackFrom } from './away-caches.ts';
import { diskError } from './disk-error.ts';
import { isFileAt, lockFile, tryLockFile, type LockOptions } from './lock.ts';
import type { StorePaths } from './paths.ts';
import { removeTree, removeTreeLater } from './remove-tree.ts';

/** How a session waits, and who is told what it held. */
export interface SessionOptions {
  readonly lockOptions?: LockOptions;
  readonly onEnd?: (held: ReadonlySet<string>) => void;
}

/**
 * The right to write to a store, and a lease on what is found in it. Whoever uses something holds it first: prune
 * deletes nothing that a living session holds. A session lives as long as its lock, which ends with the process, so
 * what a killed one leaves is known to be left over and is swept by the next.
 */
export class Session implements AsyncDisposable {
  readonly id: string;
  readonly #paths: StorePaths;
  readonly #lease: number;
  readonly #held = new Set<string>();
  readonly #lockOptions: LockOptions;
  #files = 0;
  #tmp: string | undefined;
  #isOpen = true;

  readonly #onEnd: (held: ReadonlySet<string>) => void;

  private constructor(
    paths: StorePaths,
    id: string,
    lease: number,
    { lockOptions = {}, onEnd = () => {} }: SessionOptions,
  ) {
    this.#onEnd = onEnd;
    this.#paths = paths;
    this.id = id;
    this.#lease = lease;
    this.#lockOptions = lockOptions;
  }

  /** Begins a session, after sweeping what dead ones left. */
  static begin(paths: StorePaths, options: SessionOptions = {}): Session {
    sweepLeftovers(paths);
    for (;;) {
      const id = randomBytes(8).toString('hex');
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND;
      const lease = openSync(paths.lease(id), flags, 0o600);
      // Between these two calls a sweep may take the file for one that was left over.
      if (tryLock(lease, 'exclusive') && isFileAt(paths.lease(id), lease)) {
        return new Session(paths, id, lease, options);
      }
      closeSync(lease);
    }
  }

  /**
   * Holds things by name, before they are looked at: blobs by digest, trees by form, records by key. What is there
   * afterwards stays until the session ends.
   * @throws AbortError where it has ended: nothing can be held any more
   */
  async hold(...names: readonly string[]): Promise<void> {
    this.#checkOpen();
    const fresh = names.filter((name) => !this.#held.has(name));
    if (fresh.length === 0) return;
    using _lock = await lockFile(this.#paths.storeLock, 'shared', this.#lockOptions);
    this.#checkOpen(); // another file may have the number of the lease by now
    this.#note(fresh);
    for (const name of fresh) this.#held.add(name);
  }

  /** Writes names into the lease, behind an empty line: before them there may be half of one that found no room. */
  #note(names: readonly string[]): void {
    const bytes = Buffer.from(`\n${names.join('\n')}\n`);
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#lease, bytes, at);
    } catch (error) {
      throw diskError(error, 'cannot write to the store');
    }
  }

  /** A folder for what is not complete yet. It is made when it is needed, and gone when the session ends. */
  get tmp(): string {
    this.#checkOpen();
    if (this.#tmp === undefined) {
      const path = this.#paths.tmpOf(this.id);
      try {
        mkdirSync(path, { mode: 0o700 });
      } catch (error) {
        throw diskError(error, 'cannot write to the store');
      }
      this.#tmp = path;
    }
    return this.#tmp;
  }

  /** A path in the session's folder that nothing has used yet. */
  newPath(kind: string): string {
    this.#files++;
    return join(this.tmp, `${kind}-${this.#files}`);
  }

  /** Whoever still works for a session that has ended is to end, too. */
  #checkOpen(): void {
    if (!this.#isOpen) throw new DOMException('the session has ended', 'AbortError');
  }

  /** Ends the session: what it held is free, what it left unfinished is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      this.#onEnd(this.#held);
      if (this.#tmp !== undefined) {
        bringBackFrom(this.#tmp, this.#paths); // whoever should have done it was ended
        await removeTreeLater(this.#tmp);
      }
      rmSync(this.#paths.lease(this.id), { force: true });
    } finally {
      unlock(this.#lease);
      closeSync(this.#lease);
    }
  }
}

/** Removes what dead sessions left. Several processes may do it at once, and it may be killed at any point. */
function sweepLeftovers(paths: StorePaths): void {
  const leases = new Set(readdirSync(paths.builds).map((name) => name.replace(/\.lease$/, '')));
  for (const id of leases) {
    using lock = tryLockFile(paths.lease(id), 'exclusive');
    if (lock === undefined) continue;
    bringBackFrom(paths.tmpOf(id), paths);
    removeTree(paths.tmpOf(id));
    rmSync(paths.lease(id), { force: true });
  }
  // A folder is made after its lease is locked: one without a lease belongs to nobody.
  for (const id of readdirSync(paths.tmp)) {
    if (!leases.has(id) && !existsSync(paths.lease(id))) removeTree(paths.tmpOf(id));
  }
}

/** What living sessions hold. The caller holds the store's lock alone, so that nothing is added meanwhile. */
export function heldNames(paths: StorePaths): Set<string> {
  sweepLeftovers(paths);
  const held = new Set<string>();
  for (const name of readdirSync(paths.builds)) {
    for (const line of readLease(join(paths.builds, name)).split('\n')) if (line !== '') held.add(line);
  }
  return held;
}

/** What a session holds: nothing, if it has ended meanwhile. */
function readLease(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  }
}
