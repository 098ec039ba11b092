import { chmodSync, statSync } from 'node:fs';
import { StoreError } from './errors.ts';

const WRITABLE_BY_OTHERS = 0o022;
const OPEN_TO_OTHERS = 0o077;

/** @throws StoreError `not-a-store` where something else lies there */
export function checkIsFolder(root: string): void {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new StoreError('not-a-store', `the store ${root} is no folder`);
}

/**
 * Looks at whether the folder of a store can be trusted, if it is there: images are made of what lies in it, and it holds
 * set-user-id programs. One that others can only read is closed to them.
 * @throws StoreError `no-access`
 */
export function checkFolder(root: string): void {
  const stats = statSync(root, { throwIfNoEntry: false });
  if (stats === undefined) return;
  const user = process.geteuid?.();
  if (user !== undefined && stats.uid !== user) {
    throw new StoreError('no-access', `the store ${root} belongs to user ${stats.uid}, not to user ${user}`, {
      hint: `use another folder (CAISSON_ROOT); or, if you trust what is in it, chown ${user} ${root}`,
    });
  }
  const mode = stats.mode & 0o777;
  if ((mode & WRITABLE_BY_OTHERS) !== 0) {
    throw new StoreError(
      'no-access',
      `the store ${root} can be written by others: its mode is ${mode.toString(8).padStart(4, '0')}`,
      { hint: `chmod 700 ${root}, and look with caisson store verify at what is in it` },
    );
  }
  if ((mode & OPEN_TO_OTHERS) !== 0) chmodSync(root, 0o700);
}
