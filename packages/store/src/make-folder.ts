import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '@caisson/sys';
import { StoreError } from './errors.ts';

/**
 * Makes a folder, and those above it that are missing. Where a file system makes none, as /proc does, Node's own way to
 * do so goes round for ever.
 * @throws StoreError `no-access`
 */
export function makeFolder(path: string): void {
  const parent = dirname(path);
  if (parent !== path && !existsSync(parent)) makeFolder(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return;
    if (errorCode(error) !== 'ENOENT') throw error;
    throw new StoreError('no-access', `the folder ${path} cannot be made there`, {
      hint: 'choose another folder (--root, CAISSON_ROOT)',
      cause: error,
    });
  }
}
