import { compareTimes, type Entry } from './entry.ts';
import { sameAttributes } from './same-file.ts';

/**
 * Whether two entries of a path are the same in all that a layer says of it: attributes, times, and the bytes of files,
 * where both digests are known. Of another name of a file, what it names.
 */
export function sameEntry(a: Entry, b: Entry): boolean {
  if (a === b && (a.type !== 'file' || a.digest !== undefined)) return true;
  if (a.type === 'whiteout' || b.type === 'whiteout') return a.type === b.type;
  if (a.type === 'hardlink' || b.type === 'hardlink')
    return a.type === 'hardlink' && b.type === 'hardlink' && a.target === b.target;
  if (!sameAttributes(a, b) || compareTimes(a.mtime, b.mtime) !== 0) return false;
  return a.type !== 'file' || b.type !== 'file' || (a.digest !== undefined && a.digest === b.digest);
}
