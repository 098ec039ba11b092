import { beginSync, beginWriteBack, writeBack } from '@caisson/sys';
import { fsPath, type HostPath } from './byte-path.ts';

/** How much is given to the disk at once. */
const PART = 8 << 20;
/** When there is so much more than the disk was given, it is waited for: there is no end of it in sight. */
const BACKLOG = 64 << 20;
/** How much of a tree is written in between: what the disk does all the time costs more than it gains. */
const TREE_PART = 128 << 20;

/** Has a file written to the disk while it grows: the barrier at the end has less to wait for. */
export class WriteBack {
  readonly #path: HostPath;
  readonly #fd: number;
  readonly #from: number;
  /** Up to where the disk was given it. */
  #given = 0;
  /** Whether the disk is behind; nobody says that it is not before this thread rests. */
  #isBusy = false;

  /**
   * @param file where it lies, and what it is open as
   * @param from nothing is written before it has this size, in bytes
   */
  constructor({ path, fd }: { readonly path: HostPath; readonly fd: number }, from: number) {
    this.#path = path;
    this.#fd = fd;
    this.#from = from;
  }

  /** The file has this size now, in bytes. */
  grownTo(size: number): void {
    const part = { start: this.#given, end: size };
    if (size < this.#from || size - this.#given < (this.#isBusy ? BACKLOG : PART)) return;
    this.#given = size;
    if (this.#isBusy) return writeBack(this.#fd, part);
    this.#isBusy = true;
    beginWriteBack(fsPath(this.#path), part, () => {
      this.#isBusy = false;
    });
  }
}

/** Has a tree written to the disk while it is made: the disk is idle meanwhile. */
export class TreeWriteBack {
  readonly #tree: HostPath;
  /** How much came since the disk was told to write, in bytes. */
  #since = 0;
  #isBusy = false;

  constructor(tree: HostPath) {
    this.#tree = tree;
  }

  /** So many bytes more were put into files of the tree. */
  grownBy(bytes: number): void {
    this.#since += bytes;
    if (this.#since < TREE_PART || this.#isBusy) return;
    this.#since = 0;
    this.#isBusy = true;
    beginSync(fsPath(this.#tree), () => {
      this.#isBusy = false;
    });
  }
}
