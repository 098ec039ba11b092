import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { findProgram } from '@caisson/runtime/find-program';

/** What a user namespace depends on: injected, so that tests can say what a machine is like. */
export interface Machine {
  /** Who runs this; undefined for an id without a name. */
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number } | undefined;
  /** The text of a file; undefined where it cannot be read. */
  readonly read: (path: string) => string | undefined;
  /** Where a program lies. */
  readonly find: (program: string) => string | undefined;
  /** Runs a program to its end. */
  readonly run: (
    file: string,
    args: readonly string[],
  ) => { readonly exitCode: number | null; readonly stderr: string };
}

/** This machine. */
export const thisMachine: Machine = {
  get user() {
    try {
      const { username, uid, gid } = userInfo();
      return { name: username, uid, gid };
    } catch {
      return undefined;
    }
  },
  read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
  // Where system programs lie is not in every user's PATH.
  find: (program) => findProgram(program) ?? findProgram(program, '/usr/bin:/bin:/usr/sbin:/sbin'),
  run(file, args) {
    const { status, stderr } = spawnSync(file, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    return { exitCode: status, stderr };
  },
};
