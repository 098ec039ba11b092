import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { checkStore } from '../rig/check-store.ts';
import { holdingsOf } from '../rig/holdings.ts';
import { lacks } from '../rig/tools.ts';
import { startWatch } from '../rig/watching.ts';
import { test } from '../rig/world.ts';

/** Files of the store for one image of a base and two layers, and for one that is not yet gone: each edit makes eight. */
const LEFT = 40;

/** In CI a few; `npm run soak-watch` sets more. */
const EDITS = Number(process.env['SOAK_EDITS'] ?? 60);

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('caisson watch, edit after edit', () => {
  test(
    `${EDITS} of them leave as much as the first`,
    { timeout: 60_000 + EDITS * 5000 },
    async ({ world }) => {
      const files = Object.fromEntries(
        Array.from({ length: 200 }, (_, number) => [`src/${number % 20}/${number}`, `${number}`]),
      );
      world.write({ Dockerfile: 'FROM busybox\nCOPY src /src\nRUN cat /src/*/* > /all\n', ...files });
      await using watch = startWatch(world, ['-t', 'app']);
      await watch.rest();
      const edit = async (number: number): Promise<void> => {
        world.write({ [`src/${number % 20}/${number % 200}`]: `edit ${number}` });
        await watch.rest();
      };
      const half = Math.floor(EDITS / 2);
      for (let number = 0; number < half; number++) await edit(number);
      const settled = async (): Promise<void> => {
        await expect.poll(() => filesIn(world.store), { timeout: 60_000 }).toBeLessThan(LEFT);
      };
      await settled();
      const before = holdingsOf(watch.pid, world.folder);
      for (let number = half; number < EDITS; number++) await edit(number);
      await settled();
      // Some files are open for a moment.
      await expect.poll(() => holdingsOf(watch.pid, world.folder), { timeout: 60_000 }).toEqual(before);
      watch.kill('SIGINT');
      expect(await watch.exitCode).toBe(130);
      expect(checkStore(world.store)).toEqual([]);
      const said = await world.ok(['run', 'app', 'cat', '/all']);
      expect(said.stdout).toContain(`edit ${EDITS - 1}`);
    },
  );
});

function filesIn(folder: string): number {
  return ['blobs/sha256', 'records', 'trees', 'tocs', 'maps']
    .map((name) => join(folder, name))
    .flatMap((path) => {
      try {
        return readdirSync(path);
      } catch {
        return [];
      }
    }).length;
}
