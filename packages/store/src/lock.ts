import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock, unlock } from '@caisson/sys';

/** A lock that is held. Disposing of it gives it back; so does the death of the process. */
export interface HeldLock extends Disposable {
  readonly fd: number;
}

/** How to wait for a lock. */
export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once, when the lock turns out to be held by somebody else for more than a moment. */
  readonly onWait?: () => void;
}

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;
const TELL_AFTER_MS = 1000;

/**
 * Takes a kernel lock on a file, waiting for it without blocking the thread. The lock is on the file that lies at the
 * path when the lock is held: one that was removed meanwhile does not count, so there are never two holders.
 */
export async function lockFile(
  path: string,
  kind: 'shared' | 'exclusive',
  options: LockOptions = {},
): Promise<HeldLock> {
  const begun = performance.now();
  let isTold = false;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    options.signal?.throwIfAborted();
    const lock = tryLockFile(path, kind);
    if (lock !== undefined) return lock;
    if (!isTold && performance.now() - begun > TELL_AFTER_MS) {
      isTold = true;
      options.onWait?.();
    }
    await sleep(pause, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}

/** Takes the lock if nobody else holds it. The file is made where it is missing. */
export function tryLockFile(path: string, kind: 'shared' | 'exclusive'): HeldLock | undefined {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const fd = openSync(path, flags, 0o600);
  if (tryLock(fd, kind) && isFileAt(path, fd)) return heldLock(fd);
  closeSync(fd);
  return undefined;
}

/** Whether an open file is still the one at a path. */
export function isFileAt(path: string, fd: number): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const open = fstatSync(fd);
  return there !== undefined && there.ino === open.ino && there.dev === open.dev;
}

function heldLock(fd: number): HeldLock {
  let isHeld = true;
  return {
    fd,
    [Symbol.dispose]() {
      if (!isHeld) return;
      isHeld = false;
      unlock(fd);
      closeSync(fd);
    },
  };
}
