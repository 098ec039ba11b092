import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { findTool } from '../../test/rig/tools.ts';
import { PUBLISHED } from '../build.ts';
import { findDocker } from '../find-docker.ts';
import type { Command } from './measure.ts';

/** Something that builds images. */
export interface Builder {
  readonly name: string;
  /** Whether what is measured is all that works: a client of an engine is not. */
  readonly isWhole: boolean;
  /** Forgets all that it built, and the images that are named; and has a base image ready, as after a pull. */
  readonly reset: (base?: string, ...gone: readonly string[]) => Promise<void>;
  /** Builds a folder. */
  readonly build: (folder: string) => Command;
  /** Builds a folder, and again with each change; undefined for what cannot. */
  readonly watch?: ((folder: string) => Command) | undefined;
  /** Builds a folder and writes the image as an OCI archive, or as the archive that it can write. */
  readonly export: (folder: string, archive: string) => readonly Command[];
  /** Fetches an image and runs `true` in it. */
  readonly pullAndRun: (image: string) => readonly Command[];
  /** Sends what was built last to a registry; undefined where it cannot compress so. */
  readonly push: (name: string, compression: 'gzip' | 'zstd') => readonly Command[] | undefined;
}

/** What every build is called. */
const TAG = 'bench';

/** Ours, in a folder for its stores. */
export function ours(folder: string): Builder {
  const program = join(PUBLISHED, 'bin', 'caisson.js');
  const store = join(folder, 'store');
  const env = { CAISSON_ROOT: store, XDG_CACHE_HOME: join(folder, 'cache'), HOME: folder };
  const caisson = (...args: readonly string[]): Command => ({
    program: process.execPath,
    args: [program, ...args],
    env,
  });
  const pullAndRun = (image: string): Command[] => [caisson('run', image, 'true')];
  return {
    name: 'caisson',
    isWhole: true,
    reset: async (base) => {
      rmSync(store, { recursive: true, force: true });
      if (base !== undefined) await runAll(pullAndRun(base));
    },
    build: (context) => caisson('build', '-t', TAG, context),
    watch: (context) => caisson('watch', '-t', TAG, context),
    export: (context, archive) => [caisson('build', '-t', TAG, '-o', `type=oci,dest=${archive}`, context)],
    pullAndRun,
    push: (name, compression) => [
      caisson('tag', TAG, name),
      caisson('push', '-q', '--compression', compression, name),
    ],
  };
}

/** Docker, where it is. */
export async function docker(): Promise<Builder | undefined> {
  const found = await findDocker();
  if (found === undefined) return undefined;
  const { program, version } = found;
  const command = (...args: readonly string[]): Command => ({ program, args });
  const build = (context: string): Command =>
    command('build', '--network', 'host', '--provenance=false', '-t', TAG, context);
  return {
    name: `docker ${version}`,
    isWhole: false,
    reset: async (base, ...gone) => {
      await execa(program, ['rmi', '-f', TAG, ...gone], { reject: false });
      await execa(program, ['builder', 'prune', '-af'], { reject: false });
      if (base !== undefined) await execa(program, ['pull', '-q', base]);
    },
    build,
    export: (context, archive) => [build(context), command('save', '-o', archive, TAG)],
    pullAndRun: (image) => [command('run', '--rm', '--network', 'none', image, 'true')],
    push: (name, compression) =>
      compression === 'zstd' ? undefined : [command('tag', TAG, name), command('push', '-q', name)],
  };
}

/**
 * buildah, where it is: in a folder for its stores, or as PEER_BUILDAH says, words that its subcommands come after
 * (`buildah --root /elsewhere`).
 */
export async function buildah(folder: string): Promise<Builder | undefined> {
  const installed = findTool('buildah');
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run')];
  const [program, ...options] =
    process.env['PEER_BUILDAH']?.split(' ') ??
    (installed === undefined ? [] : [installed, ...storage, '--storage-driver', 'overlay']);
  if (program === undefined) return undefined;
  mkdirSync(folder, { recursive: true });
  const command = (...args: readonly string[]): Command => ({ program, args: [...options, ...args] });
  const { stdout } = await execa(program, [...options, '--version']);
  const insecure = '--tls-verify=false';
  const pull = (image: string): Command => command('pull', '-q', insecure, image);
  const build = (context: string): Command =>
    command('build', '--layers', '--network', 'host', insecure, '-t', TAG, context);
  return {
    name: /^buildah version \S+/.exec(stdout)?.[0].replace('version ', '') ?? 'buildah',
    isWhole: true,
    reset: async (base) => {
      for (const what of [
        ['rm', '-a'],
        ['rmi', '-af'],
      ])
        await execa(program, [...options, ...what], { reject: false });
      if (base !== undefined) await runAll([pull(base)]);
    },
    build,
    export: (context, archive) => [
      build(context),
      command('push', '-q', '--disable-compression', TAG, `oci-archive:${archive}`),
    ],
    pullAndRun: (image) => [
      pull(image),
      command('from', '-q', '--name', 'bench-run', image),
      command('run', '--network', 'host', 'bench-run', 'true'),
    ],
    push: (name, compression) => [
      command('push', '-q', insecure, '--compression-format', compression, TAG, `docker://${name}`),
    ],
  };
}

async function runAll(commands: readonly Command[]): Promise<void> {
  for (const { program, args, env = {} } of commands) await execa(program, [...args], { env });
}
