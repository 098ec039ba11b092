import { lstatSync, type BigIntStats } from 'node:fs';
import type { FileBefore } from './before.ts';
import { digestInTar } from './check-toc.ts';
import { fsPath, type HostPath } from './byte-path.ts';
import type { FileEntry, NodeEntry } from './entry.ts';
import { sameBytes } from './same-file.ts';
import type { FilePart } from './tree-writer.ts';

/** Where the bytes of a file of a state lie, outside the tree that was made of it. */
export type PartOf = (file: FileEntry) => FilePart;

/** A file of a state that lies in a folder: what it is, and how to see that it is no longer as it was put there. */
export class KnownFile implements FileBefore {
  readonly #node: NodeEntry;
  readonly #partOf: PartOf;
  /** What was seen of it: of all that the kernel says this is kept, since there may be very many. */
  #seen: Seen | undefined;

  /** @param node as its layer calls it: of a hard link, the file that it names */
  constructor(node: NodeEntry, partOf: PartOf) {
    this.#node = node;
    this.#partOf = partOf;
  }

  /** Looks at it where it lies, after the last thing that was done to it. */
  look(at: HostPath): void {
    const { ino, mtimeNs, ctimeNs, nlink } = lstatSync(fsPath(at), { bigint: true });
    this.#seen = { ino, mtimeNs, ctimeNs, nlink };
  }

  get inode(): bigint {
    return this.#was.ino;
  }

  get mtimeNs(): bigint {
    return this.#was.mtimeNs;
  }

  get isDirectory(): boolean {
    return this.#node.type === 'directory';
  }

  /** Names that were taken away are gone; those that another file has now were left behind. */
  names(now: BigIntStats): bigint {
    return now.ino === this.#was.ino ? now.nlink : this.#was.nlink;
  }

  /** Whatever is done to a file sets its ctime, which nobody can set back. */
  isUntouched(now: BigIntStats): boolean {
    return now.ino === this.#was.ino && now.ctimeNs === this.#was.ctimeNs;
  }

  node(): NodeEntry {
    return this.#node;
  }

  hasBytesOf(file: HostPath): boolean {
    const node = this.#node;
    if (node.type !== 'file') return false;
    return node.digest === undefined
      ? sameBytes(file, this.#partOf(node))
      : node.digest === digestInTar(file, { size: node.size });
  }

  get #was(): Seen {
    if (this.#seen === undefined) throw new Error(`Internal error: nobody looked at ${this.#node.path}`);
    return this.#seen;
  }
}

type Seen = Pick<BigIntStats, 'ino' | 'mtimeNs' | 'ctimeNs' | 'nlink'>;
