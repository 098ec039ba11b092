import { readSync } from 'node:fs';
import { Digester, type Digest } from '@caisson/oci';
import type { Parts } from './parts.ts';

const STEP = 1 << 20;

/**
 * The digest of a tar as it was after each MiB: that of one which begins with the same bytes is taken from there, not
 * from the start.
 */
export class TarDigests {
  readonly #steps: readonly Digester[];

  private constructor(steps: readonly Digester[]) {
    this.#steps = steps;
  }

  /**
   * Takes the digest of a file from where it begins to differ.
   * @param fd where it is read
   * @param size of it in bytes
   * @param known those of a file that has the same bytes up to `same`
   */
  static *read(
    fd: number,
    size: number,
    { known, same }: { readonly known: TarDigests | undefined; readonly same: number },
  ): Parts<{ readonly digest: Digest; readonly digests: TarDigests }> {
    const steps = known === undefined ? [new Digester()] : known.#steps.slice(0, 1 + Math.floor(same / STEP));
    const digester = (steps.at(-1) ?? new Digester()).copy();
    const buffer = Buffer.allocUnsafe(STEP);
    while (digester.size < size) {
      const read = readSync(fd, buffer, 0, STEP, digester.size);
      if (read === 0) throw new Error('Internal error: a tar that is shorter than it was written');
      digester.update(buffer.subarray(0, read));
      if (digester.size === steps.length * STEP) steps.push(digester.copy());
      yield;
    }
    return { digest: digester.digest(), digests: new TarDigests(steps) };
  }
}
