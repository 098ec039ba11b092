import { closeSync, constants, ftruncateSync, openSync } from 'node:fs';
import { Digester, type Digest } from '@caisson/oci';
import { fsPath, type HostPath } from './byte-path.ts';
import { isZeros, writeFully } from './tree-writer.ts';
import { WriteBack } from './write-back.ts';

/** Up to here it waits for the barrier: while the disk takes some of it, putting more into the file takes longer. */
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
  #isOpen = true;
  readonly #writeBack: WriteBack;

  /** @param path a new file */
  constructor(path: HostPath) {
    this.#fd = openSync(fsPath(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    this.#writeBack = new WriteBack({ path, fd: this.#fd }, WRITE_BACK_FROM);
  }

  /** How much is in it, in bytes. */
  get size(): number {
    return this.#size;
  }

  append(block: Uint8Array): void {
    this.#digester.update(block);
    if (!isZeros(block)) writeFully(this.#fd, block, this.#size);
    this.#size += block.length;
    this.#writeBack.grownTo(this.#size);
  }

  /** Takes the digest of what was appended so far, and of what comes after it elsewhere. */
  fork(): Digester {
    return this.#digester.copy();
  }

  /** Closes the file, complete. */
  finish(): TarSum {
    ftruncateSync(this.#fd, this.#size);
    this.#close();
    return { digest: this.#digester.digest(), size: this.#size };
  }

  /** Closes the file as it is, if it is open. */
  abandon(): void {
    this.#close();
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#fd);
  }
}
