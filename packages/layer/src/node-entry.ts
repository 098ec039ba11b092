import { readlinkSync, type BigIntStats } from 'node:fs';
import { splitDevice } from '@caisson/sys';
import { fsPath, type BytePath, type HostPath } from './byte-path.ts';
import { timeOf, type NodeEntry, type Xattrs } from './entry.ts';

/**
 * What lies at a path of a file system, as an entry; undefined for a socket, which no layer can hold.
 * @param at where it lies on the host
 * @param path what it is called in the layer
 */
export function nodeEntry(
  at: HostPath,
  path: BytePath,
  stats: BigIntStats,
  xattrs: Xattrs | undefined,
): NodeEntry | undefined {
  const attributes = {
    path,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: timeOf(stats.mtimeNs),
    ...(xattrs === undefined ? {} : { xattrs }),
  };
  if (stats.isFile()) return { ...attributes, type: 'file', size: Number(stats.size) };
  if (stats.isDirectory()) return { ...attributes, type: 'directory' };
  if (stats.isSymbolicLink())
    return { ...attributes, type: 'symlink', target: readlinkSync(fsPath(at), 'latin1') };
  if (stats.isFIFO()) return { ...attributes, type: 'fifo' };
  if (stats.isSocket()) return undefined;
  return { ...attributes, type: stats.isBlockDevice() ? 'block' : 'char', ...splitDevice(stats.rdev) };
}
