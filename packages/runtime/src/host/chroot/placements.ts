import { lstatSync, renameSync, rmSync, writeFileSync, type BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { cleanPath, bytesOf, fsPath, parentOf, parentsOf, timeOf, type BytePath } from '@caisson/layer';
import { setTimes } from '@caisson/sys';
import type { RootFolder } from '../root-folder.ts';

/** Where something lies when no step uses it. */
export interface Home {
  readonly path: string;
  /** A file that says where it is meanwhile: for whoever comes when nobody is left to bring it back. */
  readonly away: string;
}

/** Something that stands in a root while a step runs. */
interface Placed {
  readonly path: BytePath;
  /** Where what was there before has been put. */
  readonly aside: string | undefined;
  /** Where it is put afterwards; undefined for what is of no use any more. */
  readonly home: Home | undefined;
  readonly inode: bigint;
}

/**
 * What elsewhere would be mounts: files and folders that are moved to where a step expects them, and back or away
 * afterwards. What they stand in place of is put aside. Nothing of it shows in the times of folders.
 */
export class Placements {
  readonly #root: RootFolder;
  readonly #folder: string;
  readonly #placed: Placed[] = [];

  /** @param folder where to put things aside, on the same file system */
  constructor(root: RootFolder, folder: string) {
    this.#root = root;
    this.#folder = folder;
  }

  /**
   * Moves something into the root.
   * @param target where to, in the root; links on the way have been followed
   * @param home where it is brought back to, as something that others want to find there
   */
  place(source: string, target: string, home?: Home): void {
    const path = cleanPath(bytesOf(target));
    this.#root.makeFolders(parentOf(path));
    const at = fsPath(this.#root.locate(path));
    this.#keepingTime(parentOf(path), () => {
      const isTaken = lstatSync(at, { throwIfNoEntry: false }) !== undefined;
      const aside = isTaken ? join(this.#folder, `aside-${this.#placed.length}`) : undefined;
      if (aside !== undefined) renameSync(at, aside);
      const { ino: inode } = lstatSync(source, { bigint: true });
      if (home !== undefined) writeFileSync(home.away, at);
      this.#placed.push({ path, aside, home, inode });
      renameSync(source, at);
    });
  }

  /** Brings everything back to where it was, whatever the step did there. Nothing may run in the root any more. */
  remove(): void {
    for (let placed = this.#placed.pop(); placed !== undefined; placed = this.#placed.pop())
      this.#remove(placed);
  }

  #remove(placed: Placed): void {
    const { path, aside, home } = placed;
    if (this.#hasParent(path)) this.#keepingTime(parentOf(path), () => this.#clear(placed));
    else if (aside !== undefined) rmSync(aside, { recursive: true, force: true });
    if (home !== undefined) rmSync(home.away, { force: true });
  }

  #clear({ path, aside, home, inode }: Placed): void {
    const at = fsPath(this.#root.locate(path));
    const now = lstatSync(at, { bigint: true, throwIfNoEntry: false });
    if (now !== undefined && home !== undefined && now.ino === inode && now.isDirectory())
      renameSync(at, home.path);
    else if (now !== undefined) rmSync(at, { recursive: true, force: true });
    if (aside !== undefined) renameSync(aside, at);
  }

  /** Whether the folder is there still: the step may have put a link in its place, which leads anywhere. */
  #hasParent(path: BytePath): boolean {
    return parentsOf(path).every((folder) => this.#stat(folder)?.isDirectory() === true);
  }

  #keepingTime(folder: BytePath, work: () => void): void {
    const before = this.#stat(folder);
    work();
    if (before !== undefined) setTimes(fsPath(this.#root.locate(folder)), timeOf(before.mtimeNs));
  }

  #stat(path: BytePath): BigIntStats | undefined {
    return lstatSync(fsPath(this.#root.locate(path)), { bigint: true, throwIfNoEntry: false });
  }
}
