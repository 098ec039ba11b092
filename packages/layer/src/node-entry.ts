import { readlinkSync } from 'node:fs';
import { splitDevice, type FileStats } from '@caisson/sys';
import { fsPath, type BytePath, type HostPath } from './byte-path.ts';
import { timeOf, type FileEntry, type NodeEntry, type Xattrs } from './entry.ts';

/**
 * What lies at a path of a file system, as an entry; undefined for a socket, which no layer can hold.
 * @param at where it lies on the host
 * @param path what it is called in the layer
 */
export function nodeEntry(
  at: HostPath,
  path: BytePath,
  stats: FileStats,
  xattrs: Xattrs | undefined,
): NodeEntry | undefined {
  const mode = Number(stats.mode & 0o7777n);
  const uid = Number(stats.uid);
  const gid = Number(stats.gid);
  const mtime = timeOf(stats.mtimeNs);
  const more = xattrs === undefined ? undefined : { xattrs };
  if (stats.isFile()) {
    // Of these there may be hundreds of thousands: made in one piece, an object takes two thirds.
    const file: FileEntry = { type: 'file', path, mode, uid, gid, mtime, size: Number(stats.size) };
    return more === undefined ? file : { ...file, ...more };
  }
  const attributes = { path, mode, uid, gid, mtime, ...more };
  if (stats.isDirectory()) return { ...attributes, type: 'directory' };
  if (stats.isSymbolicLink())
    return { ...attributes, type: 'symlink', target: readlinkSync(fsPath(at), 'latin1') };
  if (stats.isFIFO()) return { ...attributes, type: 'fifo' };
  if (stats.isSocket()) return undefined;
  return { ...attributes, type: stats.isBlockDevice() ? 'block' : 'char', ...splitDevice(stats.rdev) };
}
