import { closeSync, constants, ftruncateSync, openSync } from 'node:fs';
import { beginWriteBack } from '@caisson/sys';
import { Digester, type Digest } from '@caisson/oci';
import { fsPath, type HostPath } from './byte-path.ts';
import { isZeros, writeFully } from './tree-writer.ts';

/** How much is written to the disk at once, while the rest is made: the barrier at the end has less to wait for. */
const WRITE_BACK = 8 << 20;
/** Up to here nothing is: while the disk takes some of it, putting more into the file takes longer than that saves. */
const WRITE_BACK_FROM = 64 << 20;

/** What a tar turned out to be. */
export interface TarSum {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** The file of a tar while it is written: hashed as it goes by. Blocks of zeros stay holes. */
export class TarFile {
  readonly #fd: number;
  readonly #digester = new Digester();
  #size = 0;
  /** Up to where the kernel was told to write. */
  #begun = 0;

  /** @param path a new file */
  constructor(path: HostPath) {
    this.#fd = openSync(fsPath(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  }

  /** How much is in it, in bytes. */
  get size(): number {
    return this.#size;
  }

  append(block: Uint8Array): void {
    this.#digester.update(block);
    if (!isZeros(block)) writeFully(this.#fd, block, this.#size);
    this.#size += block.length;
    if (this.#size < WRITE_BACK_FROM || this.#size - this.#begun < WRITE_BACK) return;
    beginWriteBack(this.#fd, this.#begun, this.#size - this.#begun);
    this.#begun = this.#size;
  }

  /** Takes the digest of what was appended so far, and of what comes after it elsewhere. */
  fork(): Digester {
    return this.#digester.copy();
  }

  /** Closes the file, complete. */
  finish(): TarSum {
    ftruncateSync(this.#fd, this.#size);
    closeSync(this.#fd);
    return { digest: this.#digester.digest(), size: this.#size };
  }

  /** Closes the file as it is. */
  abandon(): void {
    closeSync(this.#fd);
  }
}
