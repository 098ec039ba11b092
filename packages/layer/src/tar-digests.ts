import { readSync } from 'node:fs';
import { Digester, type Digest } from '@caisson/oci';

const STEP = 1 << 20;
/** What is read is hashed at once. */
const BUFFER = Buffer.allocUnsafe(STEP);

/** The tar of another layer that begins with the same bytes. */
export interface AlikeTar {
  readonly digests: TarDigests;
  /** Up to where the bytes are the same. */
  readonly same: number;
}

/**
 * The digest of a tar as it was after each MiB: that of one which begins with the same bytes is taken from there, not
 * from the start.
 */
export class TarDigests {
  readonly #steps: Digester[];
  readonly #digester: Digester;

  /** @param alike from which it begins, if there is one */
  constructor(alike?: AlikeTar) {
    if (alike === undefined) this.#steps = [new Digester()];
    else this.#steps = alike.digests.#steps.slice(0, 1 + Math.floor(alike.same / STEP));
    this.#digester = (this.#steps.at(-1) ?? new Digester()).copy();
  }

  /**
   * Goes on in the file of the tar.
   * @param end up to where, in bytes; what the file does not reach to yet are zeros
   */
  readTo(fd: number, end: number): void {
    while (this.#digester.size < end) {
      const { size } = this.#digester;
      const chunk = BUFFER.subarray(0, Math.min(STEP - (size % STEP), end - size));
      chunk.fill(0, readSync(fd, chunk, 0, chunk.length, size));
      this.#digester.update(chunk);
      if (this.#digester.size === this.#steps.length * STEP) this.#steps.push(this.#digester.copy());
    }
  }

  /** The digest of what was read. May be called once. */
  digest(): Digest {
    return this.#digester.digest();
  }
}
