import { closeSync, constants, ftruncateSync, openSync } from 'node:fs';
import { beginWriteBack } from '@caisson/sys';
import { fsPath, type HostPath } from './byte-path.ts';
import { isZeros, writeFully } from './tree-writer.ts';

/** How much is written to the disk at once, while more is written to the file. */
const WRITE_BACK = 8 << 20;

/** A new file that is written from its beginning to its end. Runs of zeros become holes. */
export class SparseFile implements Disposable {
  readonly #fd: number;
  #position = 0;
  /** Up to where the kernel was told to write. */
  #begun = 0;

  constructor(path: HostPath) {
    this.#fd = openSync(fsPath(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  }

  write(chunk: Uint8Array): void {
    if (!isZeros(chunk)) writeFully(this.#fd, chunk, this.#position);
    this.#position += chunk.length;
    if (this.#position - this.#begun < WRITE_BACK) return;
    beginWriteBack(this.#fd, this.#begun, this.#position - this.#begun);
    this.#begun = this.#position;
  }

  /** Says that this is all. */
  finish(): void {
    ftruncateSync(this.#fd, this.#position);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
