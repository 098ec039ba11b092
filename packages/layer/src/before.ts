import { lstatSync, readdirSync, type BigIntStats } from 'node:fs';
import { fsPath, inFolder, type BytePath, type HostPath } from './byte-path.ts';
import type { NodeEntry } from './entry.ts';
import { nodeEntry } from './node-entry.ts';
import { sameBytes } from './same-file.ts';
import { readXattrs } from './xattrs.ts';

/** What a path was before a step. */
export interface FileBefore {
  /** Which file it was: all names of one have the same. */
  readonly inode: bigint;
  readonly mtimeNs: bigint;
  readonly isDirectory: boolean;
  /** How many names it had, as far as they count for a file that is there now. */
  names(now: BigIntStats): bigint;
  /** Whether nothing can have happened to it: then nobody looks closer. */
  isUntouched(now: BigIntStats): boolean;
  /** Undefined for what no layer holds. */
  node(): NodeEntry | undefined;
  /** Whether it held the same bytes as a regular file. Their sizes must have been found equal. */
  hasBytesOf(file: HostPath): boolean;
}

/** The files of a state, with which those behind a step are compared. */
export interface StateBefore {
  /** What a path was; undefined for nothing. The folder that it lies in must have been one. */
  file(path: BytePath): FileBefore | undefined;
  /** The names in a folder. */
  names(folder: BytePath): readonly string[];
}

/** The layers below a step, mounted. */
export class MountedState implements StateBefore {
  readonly #folder: HostPath;

  constructor(folder: HostPath) {
    this.#folder = folder;
  }

  file(path: BytePath): FileBefore | undefined {
    const at = inFolder(this.#folder, path);
    const stats = lstatSync(fsPath(at), { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? undefined : new MountedFile(at, path, stats);
  }

  names(folder: BytePath): readonly string[] {
    return readdirSync(fsPath(inFolder(this.#folder, folder)), 'latin1');
  }
}

class MountedFile implements FileBefore {
  readonly #at: HostPath;
  readonly #path: BytePath;
  readonly #stats: BigIntStats;

  constructor(at: HostPath, path: BytePath, stats: BigIntStats) {
    this.#at = at;
    this.#path = path;
    this.#stats = stats;
  }

  get inode(): bigint {
    return this.#stats.ino;
  }

  get mtimeNs(): bigint {
    return this.#stats.mtimeNs;
  }

  get isDirectory(): boolean {
    return this.#stats.isDirectory();
  }

  names(): bigint {
    return this.#stats.nlink;
  }

  /** What lies in the upper folder of an overlay was copied there because somebody touched it. */
  isUntouched(): boolean {
    return false;
  }

  node(): NodeEntry | undefined {
    return nodeEntry(this.#at, this.#path, this.#stats, readXattrs(this.#at));
  }

  hasBytesOf(file: HostPath): boolean {
    return sameBytes(file, { path: this.#at });
  }
}
