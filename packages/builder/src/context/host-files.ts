import { lstatSync, readdirSync } from 'node:fs';
import { relative } from 'node:path';
import { errorCode, type FileStats } from '@caisson/sys';
import {
  bytesOf,
  cleanPath,
  fsPath,
  hostPath,
  inFolder,
  nodeEntry,
  readingError,
  ROOT,
  timeOf,
  type BytePath,
  type FileEntry,
  type HostPath,
  type NodeEntry,
} from '@caisson/layer';
import { withContextMode, type ContextModes } from './context-modes.ts';
import type { FolderScans } from './folder-scans.ts';

/** The files of a folder of the host, as they are when they are asked for, each as what it is in a context. */
export class HostFiles {
  readonly root: HostPath;
  readonly #folder: string;
  readonly #modes: ContextModes;
  readonly #scans: FolderScans | undefined;

  /**
   * @param folder absolute
   * @param modes what the modes of its files count as
   * @param scans where folders are looked at as a whole, once; without it, each file is looked at whenever it is asked for
   */
  constructor(folder: string, modes: ContextModes, scans: FolderScans | undefined) {
    this.root = hostPath(folder);
    this.#folder = folder;
    this.#modes = modes;
    this.#scans = scans;
  }

  /** Where in the folder an absolute path of the host is; for a name that is no text, the folder that it is in. */
  pathOf(path: string): BytePath | undefined {
    const inside = relative(this.#folder, path);
    if (inside === '..' || inside.startsWith('../')) return undefined;
    const names = inside.split('/');
    const unreadable = names.findIndex((name) => name.includes('\uFFFD'));
    return cleanPath(bytesOf(names.slice(0, unreadable === -1 ? undefined : unreadable).join('/')));
  }

  /** What is in a folder, bytewise. @throws LayerError `changed-while-read` where it is none any more */
  names(folder: BytePath): string[] {
    const scan = this.#scans?.scan(folder);
    if (scan !== undefined) return scan.list().toSorted();
    const at = inFolder(this.root, folder);
    try {
      return namesIn(at);
    } catch (error) {
      throw readingError(error, at);
    }
  }

  /** The same of a folder that may be gone by now, or closed. */
  namesIfThere(folder: BytePath): string[] {
    try {
      return namesIn(inFolder(this.root, folder));
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errorCode(error) ?? '')) return [];
      throw error;
    }
  }

  stat(path: BytePath): FileStats | undefined {
    const scanned = this.#scans === undefined ? 'unseen' : this.#scans.stat(path);
    if (scanned !== 'unseen') return scanned;
    try {
      // A context that is a link is the folder behind it.
      const at = inFolder(this.root, path === ROOT ? '.' : path);
      return lstatSync(fsPath(at), { bigint: true, throwIfNoEntry: false });
    } catch (error) {
      if (errorCode(error) === 'ENOTDIR') return undefined; // a file is where a folder would be
      throw error;
    }
  }

  /** What something is in a context. @param stats of it */
  entry(path: BytePath, stats: FileStats): NodeEntry {
    // A socket arrives as an empty file, as with docker.
    const entry = withContextMode(this.#found(path, stats) ?? emptyFile(path, stats), this.#modes);
    return ownedByRoot(entry);
  }

  #found(path: BytePath, stats: FileStats): NodeEntry | undefined {
    const at = inFolder(this.root, path);
    try {
      return nodeEntry(at, path, stats, undefined);
    } catch (error) {
      throw readingError(error, at); // a link was asked where it leads
    }
  }
}

function namesIn(folder: HostPath): string[] {
  return readdirSync(fsPath(folder), 'latin1').toSorted();
}

function ownedByRoot(entry: NodeEntry): NodeEntry {
  if (entry.type !== 'file') return { ...entry, uid: 0, gid: 0 };
  const { type, path, mode, mtime, size } = entry;
  return { type, path, mode, uid: 0, gid: 0, mtime, size }; // in one piece: see nodeEntry
}

function emptyFile(path: BytePath, stats: FileStats): FileEntry {
  return {
    type: 'file',
    path,
    mode: Number(stats.mode & 0o7777n),
    uid: 0,
    gid: 0,
    mtime: timeOf(stats.mtimeNs),
    size: 0,
  };
}
