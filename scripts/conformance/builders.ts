import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { argsOf, type BuildCase } from '../../test/rig/build-case.ts';
import { caisson } from '../../test/rig/caisson.ts';
import { readExportedImage, type ExportedImage } from '../../test/rig/exported-image.ts';
import { mirrorDockerHub } from '../../test/rig/mirror.ts';
import { BASE_IMAGES } from '../../test/rig/push-base-images.ts';
import type { Docker } from '../find-docker.ts';

/** What came of building a case. */
export type Outcome =
  | { readonly kind: 'image'; readonly image: ExportedImage }
  | { readonly kind: 'failure'; readonly said: string };

/**
 * Builds a case.
 * @param context a folder with its files
 * @param scratch a folder that only this build uses
 */
export type CaseBuilder = (each: BuildCase, context: string, scratch: string) => Promise<Outcome>;

/** Docker, with the base images of a registry in place of those of Docker Hub. */
export function dockerBuilder({ program }: Docker, host: string): CaseBuilder {
  const bases = BASE_IMAGES.flatMap((name) => [
    '--build-context',
    `${name}=docker-image://${host}/library/${name}`,
  ]);
  const settings = ['--network', 'host', '--provenance=false', '--progress=plain', '--no-cache', ...bases];
  const run = (args: readonly string[]) =>
    execa(program, args, { all: true, reject: false, stdin: 'ignore' });
  return async (each, context, scratch) => {
    const tag = `caisson-conformance-${process.pid}`;
    for (const [command = '', ...args] of each.expect.before ?? []) {
      if (command !== 'build') throw new Error(`${each.name}: docker cannot ${command} before the build`);
      const folder = resolve(context, args.at(-1) ?? '.');
      const { exitCode, all } = await run(['build', ...settings, ...args.slice(0, -1), folder]);
      if (exitCode !== 0) return { kind: 'failure', said: all };
    }
    const built = await run(['build', ...settings, '-t', tag, ...argsOf(each, context), context]);
    if (built.exitCode !== 0) return { kind: 'failure', said: built.all };
    const tar = join(scratch, 'docker.tar');
    await execa(program, ['save', '-o', tar, tag]);
    await run(['rmi', '-f', tag]);
    return { kind: 'image', image: await readTar(tar, join(scratch, 'docker')) };
  };
}

/** Caisson as it is published, with a store for all cases and the registry as a mirror. */
export function ourBuilder(folder: string, host: string): CaseBuilder {
  const root = join(folder, 'store');
  mirrorDockerHub(join(folder, 'home'), host);
  return async (each, context, scratch) => {
    const tar = join(scratch, 'ours.tar');
    const output = ['--no-cache', '-o', `type=oci,dest=${tar}`];
    for (const args of [...(each.expect.before ?? []), ['build', ...output, ...argsOf(each, context), '.']]) {
      const { exitCode, stderr } = await caisson(args, { root, cwd: context });
      if (exitCode !== 0) return { kind: 'failure', said: stderr };
    }
    return { kind: 'image', image: await readTar(tar, join(scratch, 'ours')) };
  };
}

async function readTar(tar: string, folder: string): Promise<ExportedImage> {
  mkdirSync(folder);
  await execa('tar', ['-xf', tar, '-C', folder]);
  return readExportedImage(folder);
}
