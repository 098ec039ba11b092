import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import * as z from 'zod/mini';
import { argsOf, buildCases, copyCase, needsOf, type BuildCase } from '../rig/build-case.ts';
import { failureOf } from '../rig/failure-of.ts';
import { OTHER_FORMS } from '../rig/forms.ts';
import { filesOfTar } from '../rig/image-files.ts';
import { pushDebian } from '../rig/push-base-images.ts';
import { lacks } from '../rig/tools.ts';
import { makeWorld, removeWorld, type World } from '../rig/world.ts';

const RUNTIMES = ['namespaces', 'crun', 'runc', 'chroot'] as const;
/** What layers are mounted from makes no difference either. */
const FORMS: Readonly<Record<string, string>> = { namespaces: OTHER_FORMS, crun: 'trees', runc: OTHER_FORMS };
const inspection = z.array(
  z.looseObject({
    Config: z.record(z.string(), z.unknown()),
    RootFS: z.looseObject({ Layers: z.array(z.string()) }),
  }),
);
const EPOCH = { SOURCE_DATE_EPOCH: '1700000000' };

beforeAll(async () => {
  if (lacks('root', 'busybox', 'docker-registry', 'mmdebstrap')) return;
  await pushDebian(inject('registry'));
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry')).each(buildCases())('$name', (each) => {
  describe.skipIf(lacks(...needsOf(each)))('with what it needs', () => {
    const ids = new Map<string, string>();
    const worlds: World[] = [];
    afterAll(() => Promise.all(worlds.map(removeWorld)));

    const runtimes = each.expect.runtimes ?? RUNTIMES;
    test.each(runtimes)('gives what it must with %s', { timeout: 600_000 }, async (runtime) => {
      if ((runtime === 'crun' || runtime === 'runc') && lacks(runtime)) return;
      const world = makeWorld();
      worlds.push(world);
      await prepareCase(each, world, runtime);
      const args = argsOf(each, world.context);
      if (each.expect.error !== undefined) {
        expect((await failureOf(world, ['build', ...args, '.'])).trimEnd().split('\n')).toEqual(
          each.expect.error,
        );
        return;
      }
      ids.set(runtime, await buildCase(args, world, runtime));
      await checkImage(each, world);
      for (const { args: command, stdout, exitCode = 0 } of each.expect.run ?? []) {
        const ran = await world.run(['run', '--runtime', runtime, 'case', ...command], {
          env: envOf(runtime),
        });
        expect(ran).toMatchObject({ stdout, exitCode });
      }
      // What was built is found again, whole.
      const again = await world.ok(['build', '-t', 'case', ...args, '.'], { env: EPOCH });
      expect(again.stderr).toMatch(/ cached, 0 ran\n$/);
    });

    test('gives one image id whatever runs its steps, and whatever layers are mounted from', () => {
      expect(new Set(ids.values()).size).toBeLessThanOrEqual(1);
    });
  });
});

async function prepareCase(each: BuildCase, world: World, runtime: string): Promise<void> {
  await copyCase(each, world.context);
  for (const args of each.expect.before ?? []) {
    await world.ok(args, { env: envOf(runtime) });
  }
}

async function buildCase(args: readonly string[], world: World, runtime: string): Promise<string> {
  const output = ['-o', `type=tar,dest=${filesTar(world)}`];
  return world.build(['-t', 'case', ...output, ...args], { env: envOf(runtime) });
}

function envOf(runtime: string): Record<string, string> {
  return { ...EPOCH, CAISSON_RUNTIME: runtime, CAISSON_FORMS: FORMS[runtime] ?? 'auto' };
}

function filesTar({ folder }: World): string {
  return join(folder, 'case.tar');
}

async function checkImage({ expect: wanted }: BuildCase, world: World): Promise<void> {
  const image = inspection.parse(JSON.parse((await world.ok(['inspect', 'case'])).stdout))[0];
  if (wanted.config !== undefined) expect(image?.Config).toMatchObject(wanted.config);
  if (wanted.layers !== undefined) expect(image?.RootFS.Layers).toHaveLength(wanted.layers);
  const files = await filesOfTar(await readFile(filesTar(world)));
  for (const [path, file] of Object.entries(wanted.files ?? {})) {
    expect({ [path]: files.get(path) }).toMatchObject({ [path]: file });
  }
  expect((wanted.absent ?? []).filter((path) => files.has(path))).toEqual([]);
}
