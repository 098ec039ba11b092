import { libcFunction } from './libc.ts';
import { errorCode } from './syscall-error.ts';

const flock = libcFunction('int flock(int fd, int operation)');

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

/**
 * Tries to take flock(2)'s lock on an open file, without waiting. The lock belongs to the open file: it ends with the
 * last descriptor of it, so a process that dies leaves none.
 * @returns whether the lock is held now
 */
export function tryLock(fd: number, kind: 'shared' | 'exclusive'): boolean {
  try {
    flock([fd, (kind === 'shared' ? LOCK_SH : LOCK_EX) | LOCK_NB]);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EAGAIN') return false;
    throw error;
  }
}

/** Gives the lock back. Closing the file does the same. */
export function unlock(fd: number): void {
  flock([fd, LOCK_UN]);
}
