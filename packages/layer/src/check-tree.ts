import { lstatSync, type BigIntStats } from 'node:fs';
import { errorCode, inUserNamespace } from '@caisson/sys';
import { fsPath, inFolder, parentOf, ROOT, type BytePath, type HostPath } from './byte-path.ts';
import { compareTimes, type FileEntry, type NodeEntry } from './entry.ts';
import { nodeEntry } from './node-entry.ts';
import { sameAttributes } from './same-file.ts';
import type { Toc } from './toc.ts';
import { isMarkedOpaque, readXattrs } from './xattrs.ts';

/**
 * Looks at whether the tree of a layer has all that its table of contents says, as it says. What a step copied up and
 * left as it was is in its tree only: nothing says what that should be.
 * @param isContent whether the bytes of a file are the right ones
 * @returns the first path that is not as it should be; undefined where all are
 */
export function wrongInTree(
  tree: HostPath,
  toc: Toc,
  isContent: (entry: FileEntry, at: HostPath) => boolean,
): BytePath | undefined {
  const wrong = toc.entries.find((entry) => {
    const at = inFolder(tree, entry.path);
    const stats = statsOf(at);
    if (entry.type === 'whiteout') return !(isWhiteout(stats) || isHidden(tree, entry.path));
    if (stats === undefined) return true;
    if (entry.type === 'hardlink') return statsOf(inFolder(tree, entry.target))?.ino !== stats.ino;
    const node = nodeEntry(at, entry.path, stats, readXattrs(at));
    if (node === undefined || !sameAttributes(asInTree(entry), node)) return true;
    if (compareTimes(entry.mtime, node.mtime) !== 0) return true;
    return entry.type === 'file' && !isContent(entry, at);
  });
  return wrong?.path;
}

/** In a user namespace no device can be made: an empty file stands for it. */
function asInTree(entry: NodeEntry): NodeEntry {
  if ((entry.type !== 'char' && entry.type !== 'block') || !inUserNamespace()) return entry;
  const { major: _major, minor: _minor, ...attributes } = entry;
  return { ...attributes, type: 'file', size: 0 };
}

function statsOf(at: HostPath): BigIntStats | undefined {
  try {
    return lstatSync(fsPath(at), { bigint: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}

function isWhiteout(stats: BigIntStats | undefined): boolean {
  return stats?.isCharacterDevice() === true && stats.rdev === 0n;
}

/** Whether a folder on the way to a path hides all that lower layers have in it. */
function isHidden(tree: HostPath, path: BytePath): boolean {
  for (let folder = path; folder !== ROOT;) {
    folder = parentOf(folder);
    const at = inFolder(tree, folder);
    if (statsOf(at)?.isDirectory() !== true) continue;
    if (isMarkedOpaque(at)) return true;
  }
  return false;
}
