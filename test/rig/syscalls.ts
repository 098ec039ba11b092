import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { bareEnvironment, CAISSON } from './caisson.ts';
import type { World } from './world.ts';

/** What a command asked of the kernel, with all processes that it started. */
export interface Syscalls {
  /** How often a call succeeded. */
  count(...names: readonly string[]): number;
  /** How often a call succeeded on a path that matches. */
  on(path: RegExp, ...names: readonly string[]): number;
  /** How many bytes calls gave or took together. */
  bytes(...names: readonly string[]): number;
}

const TRACED =
  'execve,openat,open,lstat,newfstatat,statx,read,pread64,write,pwrite64,writev,fsync,fdatasync,syncfs,clone,clone3,fork,vfork,mkdir,rename';

/** Runs Caisson under strace, which must end well. */
export async function traced(world: World, ...args: readonly string[]): Promise<Syscalls> {
  const log = join(world.folder, 'strace.log');
  const trace = ['-f', '-qq', '-s', '0', '-z', '-e', `trace=${TRACED}`, '-e', 'signal=none', '-o', log];
  await execa('strace', [...trace, process.execPath, CAISSON, ...args], {
    cwd: world.context,
    env: bareEnvironment(world.store),
    extendEnv: false,
    stdin: 'ignore',
  });
  const lines = readFileSync(log, 'utf8').split('\n').flatMap(parseLine);
  const named = (names: readonly string[]): Call[] => lines.filter(({ name }) => names.includes(name));
  return {
    count: (...names) => named(names).length,
    on: (path, ...names) => named(names).filter(({ text }) => path.test(text)).length,
    bytes: (...names) => named(names).reduce((sum, { result }) => sum + result, 0),
  };
}

interface Call {
  readonly name: string;
  readonly text: string;
  readonly result: number;
}

/** `123 openat(AT_FDCWD, "/x", O_RDONLY) = 3`; the second half of a call that others came between has no arguments. */
function parseLine(line: string): Call[] {
  const match = /^\d+\s+(?:<\.\.\. )?(\w+)(.*?)\s=\s(\d+)/.exec(line);
  const [, name, text, result] = match ?? [];
  if (name === undefined || text === undefined) return [];
  return [{ name, text, result: Number(result) }];
}
