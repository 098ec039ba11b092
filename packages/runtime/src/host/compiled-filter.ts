import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How often a container that is being made is looked at: compiling takes some ten times as long. */
const LOOK_MS = 1;
/** Of an instruction of a BPF program. */
const INSTRUCTION_BYTES = 8;

/**
 * The seccomp filter of steps, compiled. To compile it from the names of system calls takes crun longer than all else
 * that it does, and the same comes out each time: what it made for the first sandbox is given to it for all others. A
 * crun that does not know the annotation compiles again.
 * @see https://github.com/containers/crun/blob/main/crun.1.md
 */
export class CompiledFilter {
  #program: string | undefined;

  /** What tells crun of it; nothing before it is known. */
  get annotations(): Readonly<Record<string, string>> {
    return this.#program === undefined ? {} : { 'run.oci.seccomp_bpf_data': this.#program };
  }

  /**
   * Takes the filter from the folder in which crun keeps what it knows of a running container. A step that ends at once
   * may be too short for that: then the next one is looked at.
   * @param folder where it keeps it
   * @param isMade whether the container is complete, and so is its filter
   * @param ended resolves when it has ended
   */
  takeFrom(folder: string, isMade: () => boolean, ended: Promise<unknown>): void {
    if (this.#program !== undefined) return;
    const look = (): void => {
      const isWhole = isMade();
      if (isWhole) this.#program ??= readProgram(join(folder, 'seccomp.bpf'));
      if (isWhole || this.#program !== undefined) clearInterval(timer);
    };
    const timer = setInterval(look, LOOK_MS);
    void ended.then(() => clearInterval(timer));
  }
}

/** A program in base64; undefined where there is none, or only a part of one. */
function readProgram(path: string): string | undefined {
  try {
    const bytes = readFileSync(path);
    if (bytes.length === 0 || bytes.length % INSTRUCTION_BYTES !== 0) return undefined;
    return bytes.toString('base64');
  } catch {
    return undefined; // the container has ended, or crun keeps no such file
  }
}
