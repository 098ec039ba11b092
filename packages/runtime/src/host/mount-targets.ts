import { lstatSync, rmdirSync, unlinkSync, writeFileSync, type BigIntStats } from 'node:fs';
import { fsPath, parentOf, textOf, timeOf, type BytePath } from '@caisson/layer';
import { errorCode, setTimes, type Time } from '@caisson/sys';
import { RuntimeError } from '../errors.ts';
import type { RootFolder } from './root-folder.ts';

/** Where something is mounted in a sandbox: the path without any symlink, for whoever mounts it. */
export type MountTarget = string;

/**
 * Makes what a sandbox's mounts need to be mounted on, and takes it away afterwards, so that a step leaves the same
 * files whatever it was run with. /dev, /proc and /sys are the exception: as with docker they stay, where the image
 * has none. Doing it here, not in the runtimes, makes all of them give the same layer.
 */
export class MountTargets {
  readonly #root: RootFolder;
  readonly #made: { readonly path: BytePath; readonly inode: bigint | undefined }[] = [];
  /** The times of folders in which something was made: before that, and right after. */
  readonly #times = new Map<BytePath, { readonly before: Time; after: bigint }>();

  constructor(root: RootFolder) {
    this.#root = root;
  }

  /** A folder that stays. */
  keptFolder(path: string): MountTarget {
    const { path: at, kind } = this.#root.follow(path);
    if (kind !== undefined && kind.type !== 'directory') throw notA('folder', path);
    this.#root.makeFolders(at);
    return `/${textOf(at)}`;
  }

  /** A folder that is there only for the mount. */
  folder(path: string): MountTarget {
    const { path: at, kind } = this.#root.follow(path);
    if (kind !== undefined && kind.type !== 'directory') throw notA('folder', path);
    this.#watching(at, () => {
      for (const made of this.#root.makeFolders(at)) this.#made.push({ path: made, inode: undefined });
    });
    return `/${textOf(at)}`;
  }

  /** A file that is there only for the mount. */
  file(path: string): MountTarget {
    const { path: at, kind } = this.#root.follow(path);
    if (kind?.type === 'directory') throw notA('file', path);
    if (kind === undefined) {
      this.#watching(at, () => {
        for (const made of this.#root.makeFolders(parentOf(at)))
          this.#made.push({ path: made, inode: undefined });
        writeFileSync(fsPath(this.#root.locate(at)), '', { flag: 'wx', mode: 0o644 });
        this.#made.push({ path: at, inode: this.#stat(at)?.ino });
      });
    }
    return `/${textOf(at)}`;
  }

  /** Takes away what was made, unless the step put something else there. */
  remove(): void {
    for (const { path, inode } of this.#made.toReversed()) {
      const at = fsPath(this.#root.locate(path));
      const stat = this.#stat(path);
      if (stat === undefined) continue;
      const parent = parentOf(path);
      const before = this.#stat(parent);
      try {
        if (inode === undefined) rmdirSync(at);
        else if (stat.isFile() && stat.ino === inode && stat.size === 0n) unlinkSync(at);
        else continue;
      } catch (error) {
        const code = errorCode(error);
        if (code === 'ENOTEMPTY' || code === 'ENOTDIR') continue; // the step used the place
        throw error;
      }
      this.#restoreTime(parent, before);
    }
  }

  /** A folder's time says when the step last changed something in it, not when we did. */
  #restoreTime(folder: BytePath, before: BigIntStats | undefined): void {
    if (before === undefined) return;
    const known = this.#times.get(folder);
    const isUntouched = known !== undefined && known.after === before.mtimeNs;
    setTimes(fsPath(this.#root.locate(folder)), isUntouched ? known.before : timeOf(before.mtimeNs));
    const now = this.#stat(folder);
    if (isUntouched && now !== undefined) known.after = now.mtimeNs;
  }

  /** Notes the time of the deepest folder that is there already, around something that is made below it. */
  #watching(path: BytePath, make: () => void): void {
    let folder = parentOf(path);
    while (folder !== '' && this.#stat(folder) === undefined) folder = parentOf(folder);
    const stat = this.#stat(folder);
    make();
    const after = this.#stat(folder);
    if (stat === undefined || after === undefined) return;
    const known = this.#times.get(folder);
    if (known === undefined) this.#times.set(folder, { before: timeOf(stat.mtimeNs), after: after.mtimeNs });
    else known.after = after.mtimeNs;
  }

  #stat(path: BytePath): BigIntStats | undefined {
    return lstatSync(fsPath(this.#root.locate(path)), { bigint: true, throwIfNoEntry: false });
  }
}

function notA(kind: 'file' | 'folder', path: string): RuntimeError {
  return new RuntimeError(
    'unsafe-path',
    `the image's ${path} is no ${kind}, so nothing can be mounted there`,
  );
}
