import { fchownSync, openSync, readFileSync, writeSync } from 'node:fs';
import {
  beginSession,
  changeFolder,
  closeOnExecFrom,
  execve,
  passOnStandardStreams,
  resetSignals,
  setResourceLimit,
  takeTerminal,
} from '@caisson/sys';
import { RESOURCES } from '../limits.ts';
import type { ProgramInit } from './init-spec.ts';

const COMMAND_NOT_RUN = 126;

/**
 * Does what the first process of a sandbox has to do. If anything fails before it has become the step's program, it says
 * so in a file that it opened at the start, and nothing of the step has run.
 * @param isSpec whether it was given what it needs
 */
export function runInit<Spec extends ProgramInit>(
  isSpec: (value: unknown) => value is Spec,
  enter: (spec: Spec) => never,
): void {
  const specPath = process.argv[2];
  if (specPath === undefined) throw new Error('Internal error: the init needs to know what to do');
  const spec: unknown = JSON.parse(readFileSync(specPath, 'utf8'));
  if (!isSpec(spec)) throw new Error('Internal error: the init got something else than what it is to do');
  const problem = openSync(spec.problem, 'w');
  try {
    enter(spec);
  } catch (error) {
    writeSync(problem, error instanceof Error ? error.message : String(error));
    process.exit(COMMAND_NOT_RUN);
  }
}

/** Leaves behind what a sandbox's program must not have of this one. */
export function prepareProgram({ identity, ulimits, hasTerminal }: ProgramInit): void {
  for (const fd of [1, 2]) giveStream(fd, identity.uid);
  beginSession();
  if (hasTerminal) takeTerminal(0);
  closeOnExecFrom(3);
  passOnStandardStreams();
  resetSignals();
  for (const { resource, soft, hard } of ulimits) setResourceLimit(RESOURCES[resource], soft, hard);
}

/** Becomes the program of the step. */
export function becomeProgram({ cwd, executable, args, env }: ProgramInit): never {
  changeFolder(cwd);
  return execve(executable, [executable, ...args.slice(1)], env);
}

/** A pipe belongs to who made it; a step that is not root must be able to open /dev/stdout all the same. */
function giveStream(fd: number, uid: number): void {
  try {
    fchownSync(fd, uid, -1);
  } catch {
    // A terminal or file of the caller's: it stays as it is.
  }
}
