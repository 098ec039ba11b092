import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from './syscall-error.ts';

/**
 * Makes a folder, and those above it that are missing; one that is there is as good. For paths that somebody gave: where a
 * file system makes no folders, as /proc does, Node's own way (`recursive`) goes round for ever.
 * @throws Error of node:fs: `ENOENT` in /proc, `ENOTDIR` below a file, `EEXIST` for a file
 */
export function makeFolders(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const parent = dirname(path);
  if (parent !== path && statSync(parent, { throwIfNoEntry: false }) === undefined) makeFolders(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Somebody else may have made it meanwhile.
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    if (errorCode(error) !== 'EEXIST' || !isFolder) throw error;
  }
}
