import { closeSync, constants, ftruncateSync, openSync } from 'node:fs';
import { beginWriteBack } from '@caisson/sys';
import { Digester, type Digest } from '@caisson/oci';
import { fsPath, type HostPath } from './byte-path.ts';
import { isZeros, writeFully } from './tree-writer.ts';

const BUFFER_SIZE = 1 << 20;
/** How much is written to the disk at once, while the rest is made: the barrier at the end has less to wait for. */
const WRITE_BACK = 8 << 20;
/** Up to here nothing is: while the disk takes some of it, putting more into the file takes longer than that saves. */
const WRITE_BACK_FROM = 64 << 20;

/** The file of a tar while it is written: hashed as it goes by. Runs of zeros stay holes. */
export class TarOutput {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_SIZE);
  readonly #onFlush: (end: number) => void;
  #used = 0;
  /** Bytes that left the buffer. */
  #flushed = 0;
  /** Up to where the kernel was told to write. */
  #begun = 0;
  readonly #digester = new Digester();

  /**
   * @param path a new file
   * @param onFlush told how much of it is written
   */
  constructor(path: HostPath, onFlush: (end: number) => void) {
    this.#onFlush = onFlush;
    this.#fd = openSync(fsPath(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  }

  /** How much has been put into it, in bytes. */
  get position(): number {
    return this.#flushed + this.#used;
  }

  write(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const part = bytes.subarray(at, at + this.room.length);
      this.room.set(part);
      this.advance(part.length);
      at += part.length;
    }
  }

  /** Where the next bytes may be put by whoever reads them, instead of {@link write}; it is never empty. */
  get room(): Buffer {
    return this.#buffer.subarray(this.#used);
  }

  /** Says how many bytes were put into {@link room}. */
  advance(length: number): void {
    this.#used += length;
    if (this.#used === BUFFER_SIZE) this.#flush();
  }

  /** Takes the digest of what has been written so far, and of what comes after it elsewhere. */
  fork(): Digester {
    const fork = this.#digester.copy();
    fork.update(this.#buffer.subarray(0, this.#used));
    return fork;
  }

  /** Writes what is left, and closes the file. */
  finish(): { readonly digest: Digest; readonly size: number } {
    this.#flush();
    ftruncateSync(this.#fd, this.#flushed);
    closeSync(this.#fd);
    return { digest: this.#digester.digest(), size: this.#flushed };
  }

  /** Closes the file as it is. */
  abandon(): void {
    closeSync(this.#fd);
  }

  #flush(): void {
    const full = this.#buffer.subarray(0, this.#used);
    this.#digester.update(full);
    if (!isZeros(full)) writeFully(this.#fd, full, this.#flushed);
    this.#flushed += this.#used;
    this.#used = 0;
    if (this.#flushed >= WRITE_BACK_FROM && this.#flushed - this.#begun >= WRITE_BACK) {
      beginWriteBack(this.#fd, this.#begun, this.#flushed - this.#begun);
      this.#begun = this.#flushed;
    }
    this.#onFlush(this.#flushed);
  }
}
