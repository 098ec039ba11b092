import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import * as z from 'zod/mini';
import { buildCases, copyCase, needsOf, type BuildCase } from '../rig/build-case.ts';
import { BASE_CONFIG, debianRoot } from '../rig/base-images.ts';
import { filesOfTar, type ImageFile } from '../rig/image-files.ts';
import { pushByHand } from '../rig/push-image.ts';
import { lacks } from '../rig/tools.ts';
import { makeWorld, removeWorld, type World } from '../rig/world.ts';

const RUNTIMES = ['namespaces', 'crun', 'runc'] as const;
const inspection = z.array(
  z.looseObject({
    Config: z.record(z.string(), z.unknown()),
    RootFS: z.looseObject({ Layers: z.array(z.string()) }),
  }),
);
const EPOCH = { SOURCE_DATE_EPOCH: '1700000000' };

beforeAll(async () => {
  if (lacks('root', 'busybox', 'docker-registry', 'mmdebstrap')) return;
  await pushByHand(inject('registry'), 'library/debian:bookworm-slim', {
    layers: [await debianRoot()],
    config: { ...BASE_CONFIG, Cmd: ['bash'] },
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry')).each(buildCases())('$name', (each) => {
  describe.skipIf(lacks(...needsOf(each)))('with what it needs', () => {
    const ids = new Map<string, string>();
    const worlds: World[] = [];
    afterAll(() => Promise.all(worlds.map(removeWorld)));

    const runtimes = each.expect.runtimes ?? RUNTIMES;
    test.each(runtimes)('gives what it must with %s', { timeout: 600_000 }, async (runtime) => {
      if (runtime !== 'namespaces' && lacks(runtime)) return;
      const world = makeWorld();
      worlds.push(world);
      const id = await buildCase(each, world, runtime);
      ids.set(runtime, id);
      await checkImage(each, world);
      for (const { args, stdout, exitCode = 0 } of each.expect.run ?? []) {
        const ran = await world.run(['run', '--runtime', runtime, 'case', ...args]);
        expect(ran).toMatchObject({ stdout, exitCode });
      }
      // What was built is found again, whole.
      const again = await world.ok(['build', '-t', 'case', ...(each.expect.args ?? []), '.'], { env: EPOCH });
      expect(again.stderr).toMatch(/ cached, 0 ran\n$/);
    });

    test('gives one image id whatever runs its steps', () => {
      expect(new Set(ids.values()).size).toBeLessThanOrEqual(1);
    });
  });
});

async function buildCase(each: BuildCase, world: World, runtime: string): Promise<string> {
  await copyCase(each, world.context);
  const env = { ...EPOCH, CAISSON_RUNTIME: runtime };
  for (const args of each.expect.before ?? []) {
    await world.ok(args, { env });
  }
  return world.build(['-t', 'case', ...(each.expect.args ?? [])], { env });
}

async function checkImage({ expect: wanted }: BuildCase, world: World): Promise<void> {
  const image = inspection.parse(JSON.parse((await world.ok(['inspect', 'case'])).stdout))[0];
  if (wanted.config !== undefined) expect(image?.Config).toMatchObject(wanted.config);
  if (wanted.layers !== undefined) expect(image?.RootFS.Layers).toHaveLength(wanted.layers);
  const files = await filesOf(world);
  for (const [path, file] of Object.entries(wanted.files ?? {})) {
    expect({ [path]: files.get(path) }).toMatchObject({ [path]: file });
  }
  expect((wanted.absent ?? []).filter((path) => files.has(path))).toEqual([]);
}

async function filesOf(world: World): Promise<Map<string, ImageFile>> {
  const tar = join(world.folder, 'case.tar');
  await world.ok(['build', ...(await exported(world)), '-o', `type=tar,dest=${tar}`, world.context]);
  const files = await filesOfTar(await readFile(tar));
  await rm(tar);
  return files;
}

/** A build of one line, whose image has the files of the case. */
async function exported(world: World): Promise<string[]> {
  const path = join(world.folder, 'Exported');
  await writeFile(path, 'FROM case\n');
  return ['-f', path];
}
