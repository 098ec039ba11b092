import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { findTool } from '../../test/rig/tools.ts';
import { PUBLISHED } from '../build.ts';
import { findDocker } from '../find-docker.ts';

/** Something that builds images. */
export interface Builder {
  readonly name: string;
  /** Forgets all that it built, and has the base image ready, as after a pull. */
  readonly reset: (base: string) => Promise<void>;
  /** The command line that builds a folder. */
  readonly build: (folder: string) => { readonly command: string; readonly args: readonly string[] };
  readonly env: Readonly<Record<string, string>>;
}

/** Ours, in a folder for its stores. */
export function ours(folder: string): Builder {
  const program = join(PUBLISHED, 'bin', 'caisson.js');
  const env = { CAISSON_ROOT: join(folder, 'store'), XDG_CACHE_HOME: join(folder, 'cache'), HOME: folder };
  const run = (args: readonly string[], input?: string) =>
    execa(process.execPath, [program, ...args], { env, ...(input === undefined ? {} : { input }) });
  return {
    name: 'caisson',
    env,
    reset: async (base) => {
      rmSync(env.CAISSON_ROOT, { recursive: true, force: true });
      await run(['pull', '-q', base]);
      // A pull of the peers unpacks; ours does when the image is first run.
      await run(['run', base, 'true']);
    },
    build: (context) => ({ command: process.execPath, args: [program, 'build', '-t', 'bench', context] }),
  };
}

/** Docker, where it is. */
export async function docker(): Promise<Builder | undefined> {
  const found = await findDocker();
  if (found === undefined) return undefined;
  const { program, version } = found;
  return {
    name: `docker ${version}`,
    env: {},
    reset: async (base) => {
      await execa(program, ['builder', 'prune', '-af'], { reject: false });
      await execa(program, ['pull', '-q', base]);
    },
    build: (context) => ({
      command: program,
      args: ['build', '--network', 'host', '--provenance=false', '-t', 'bench', context],
    }),
  };
}

/** buildah, in a folder for its stores. */
export async function buildah(folder: string): Promise<Builder | undefined> {
  const program = findTool('buildah');
  if (program === undefined) return undefined;
  const { stdout } = await execa(program, ['--version']);
  const storage = [
    '--root',
    join(folder, 'root'),
    '--runroot',
    join(folder, 'run'),
    '--storage-driver',
    'overlay',
  ];
  return {
    name: /^buildah version (\S+)/.exec(stdout)?.[1]
      ? `buildah ${/^buildah version (\S+)/.exec(stdout)?.[1] ?? ''}`
      : 'buildah',
    env: {},
    reset: async (base) => {
      await execa(program, [...storage, 'rmi', '-af'], { reject: false });
      if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
      await execa(program, [...storage, 'pull', '-q', '--tls-verify=false', base]);
    },
    build: (context) => ({
      command: program,
      args: [
        ...storage,
        'build',
        '--layers',
        '--network',
        'host',
        '--tls-verify=false',
        '-t',
        'bench',
        context,
      ],
    }),
  };
}
