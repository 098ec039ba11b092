import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, inject } from 'vitest';
import * as z from 'zod/mini';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const entrySchema = z.object({ kind: z.string(), id: z.string(), lastUsed: z.nullable(z.string()) });

/** The images and steps of a store, and whether each was used within the last hour. */
async function usesOf(world: World): Promise<string[]> {
  const { stdout } = await world.ok(['du', '-v', '--format', 'json']);
  return z
    .array(entrySchema)
    .parse(JSON.parse(stdout))
    .filter(({ kind }) => ['image', 'unnamed image', 'step'].includes(kind))
    .map(({ kind, lastUsed }) => {
      const isLately = Date.parse(lastUsed ?? '') > Date.now() - 3_600_000;
      return `${kind} ${isLately ? 'used' : 'old'}`;
    });
}

/** Makes all uses a day older than they are. */
function setBack(world: World): void {
  using database = new DatabaseSync(join(world.store, 'caisson.db'));
  database.exec('UPDATE used SET at = at - 86400000');
}

function writeApp(world: World, text: string): void {
  world.write({ Dockerfile: `FROM busybox\nCOPY a /a\nRUN echo ${text} > /b\n`, a: `${text}\n` });
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('the last use', () => {
  test('of an old image is not that of its base: prune takes it, and leaves the new one', async ({
    world,
  }) => {
    writeApp(world, 'old');
    await world.build();
    setBack(world);
    writeApp(world, 'new');
    const id = await world.build();
    expect(await usesOf(world)).toEqual([
      'unnamed image used',
      'unnamed image old',
      'step used',
      'step used',
      'step old',
      'step old',
    ]);
    for (const older of [
      ['--older-than', '2d'],
      ['--filter', 'until=2d'],
    ])
      expect((await world.ok(['prune', ...older])).stdout).toMatch(/^removed nothing; /);
    expect((await world.ok(['prune', '--older-than', '1h'])).stdout).toMatch(
      /^removed 1 unnamed image, 2 step results, /,
    );
    expect(await usesOf(world)).toEqual(['unnamed image used', 'step used', 'step used']);
    expect((await world.ok(['run', id, 'cat', '/a', '/b'])).stdout).toBe('new\nnew\n');
  });

  test('of an image is that it is built again, run, pushed or written', async ({ world }) => {
    const name = `${inject('registry')}/last-use`;
    world.write({ Dockerfile: 'FROM busybox\nRUN echo a > /a\n' });
    await world.build(['-t', name]);
    for (const [args, uses] of [
      [
        ['build', '.'],
        ['image used', 'step used'],
      ],
      [
        ['build', '-o', 'type=oci,dest=out.tar', '.'],
        ['image used', 'step used'],
      ],
      [
        ['run', name, 'true'],
        ['image used', 'step used'],
      ],
      [
        ['push', name],
        ['image used', 'step old'],
      ],
    ] as const) {
      setBack(world);
      expect(await usesOf(world)).toEqual(['image old', 'step old']);
      await world.ok(args);
      expect([args[0], ...(await usesOf(world))]).toEqual([args[0], ...uses]);
    }
  });
});
