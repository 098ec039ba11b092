import { readFileSync } from 'node:fs';
import { findProgram, sealedFile } from '@caisson/sys';

const ELF = Buffer.from('\x7fELF', 'latin1');

/** A program as it is to be started. */
export interface Program {
  /** What is executed. */
  readonly file: string;
  /** What it is told that it is called. */
  readonly name: string;
}

/**
 * A copy of a program in memory that nothing can change, not even what it starts (CVE-2019-5736). crun makes such a
 * copy of itself at each start, and begins anew from it, unless it is one already.
 * @returns the program by its name where no copy can be made: it may be a script
 */
export function sealedProgram(name: string): Program {
  try {
    const bytes = readFileSync(findProgram(name) ?? name);
    if (!bytes.subarray(0, ELF.length).equals(ELF)) return { file: name, name };
    return { file: `/proc/self/fd/${sealedFile(name, bytes)}`, name };
  } catch {
    return { file: name, name }; // starting it says what is wrong
  }
}
