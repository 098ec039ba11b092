import { closeSync, constants, ftruncateSync, openSync } from 'node:fs';
import { fsPath, type HostPath } from './byte-path.ts';
import { isZeros, writeFully } from './tree-writer.ts';
import { WriteBack } from './write-back.ts';

/** A new file that is written from its beginning to its end. Runs of zeros become holes. */
export class SparseFile implements Disposable {
  readonly #fd: number;
  readonly #writeBack: WriteBack | undefined;
  #position = 0;

  /** @param isKept whether it is to get to the disk */
  constructor(path: HostPath, isKept: boolean) {
    this.#fd = openSync(fsPath(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    this.#writeBack = isKept ? new WriteBack({ path, fd: this.#fd }, 0) : undefined;
  }

  write(chunk: Uint8Array): void {
    if (!isZeros(chunk)) writeFully(this.#fd, chunk, this.#position);
    this.#position += chunk.length;
    this.#writeBack?.grownTo(this.#position);
  }

  /** Says that this is all. */
  finish(): void {
    ftruncateSync(this.#fd, this.#position);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
