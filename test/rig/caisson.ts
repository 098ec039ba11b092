import { join } from 'node:path';
import { execa } from 'execa';
import { PUBLISHED } from '../../scripts/build.ts';

/** How a command line ended. */
export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run Caisson. */
export interface CaissonOptions {
  /** The folder of the store. */
  readonly root: string;
  readonly cwd?: string;
  /** Over a bare environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** The program as it is published. */
export const CAISSON = join(PUBLISHED, 'bin', 'caisson.js');

/** An environment in which nothing of the user's is seen. */
export function bareEnvironment(root: string): Record<string, string> {
  return {
    PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
    HOME: join(root, '..', 'home'),
    CAISSON_ROOT: root,
    XDG_CACHE_HOME: join(PUBLISHED, '..', 'cache'),
  };
}

/** Runs the published program to its end, whatever that is. */
export async function caisson(args: readonly string[], options: CaissonOptions): Promise<Ended> {
  const ended = await execa(process.execPath, [CAISSON, ...args], {
    env: { ...bareEnvironment(options.root), ...options.env },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  return { exitCode: ended.exitCode ?? -1, stdout: ended.stdout, stderr: ended.stderr };
}
