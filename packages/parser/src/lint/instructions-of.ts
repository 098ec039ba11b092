import type { Dockerfile, Instruction } from '../ast.ts';

/** All instructions of a Dockerfile, in order. */
export function instructionsOf({ globalArgs, stages }: Dockerfile): Instruction[] {
  return [...globalArgs, ...stages.flatMap(({ from, instructions }) => [from, ...instructions])];
}
