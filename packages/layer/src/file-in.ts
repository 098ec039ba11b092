import { lstatSync } from 'node:fs';
import { errorCode } from '@caisson/sys';
import { fsPath, inFolder, type BytePath, type HostPath } from './byte-path.ts';

/**
 * Where a file of a layer lies that several folders show together: in the topmost that has it. The layer must have it.
 * @param folders lowest first; at least one
 */
export function fileIn(folders: readonly HostPath[], path: BytePath): HostPath {
  const places = folders.map((folder) => inFolder(folder, path));
  const [lowest] = places;
  if (lowest === undefined) throw new Error('Internal error: a layer without a tree');
  return places.slice(1).findLast(isThere) ?? lowest;
}

function isThere(path: HostPath): boolean {
  try {
    return lstatSync(fsPath(path), { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}
