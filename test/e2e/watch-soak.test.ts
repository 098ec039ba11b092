import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect } from 'vitest';
import { checkStore } from '../rig/check-store.ts';
import { holdingsOf, type Holdings } from '../rig/holdings.ts';
import { lacks } from '../rig/tools.ts';
import { startWatch, type Watching } from '../rig/watching.ts';
import { test, type World } from '../rig/world.ts';

/** In CI a few; `npm run soak-watch` sets more. */
const EDITS = Number(process.env['SOAK_EDITS'] ?? 80);
/** What grows until then is no leak: code that is used often is compiled, and twenty images are kept. */
const WARM_UP = Math.max(30, Math.floor(EDITS / 5));

/** Of twenty images, half go at once. The store is looked at when it has so many. */
const IMAGES = 11;

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('caisson watch, edit after edit', () => {
  test(
    `${EDITS} of them leave as much as the first ${WARM_UP}`,
    { timeout: 120_000 + EDITS * 5000 },
    async ({ world }) => {
      const files = Object.fromEntries(
        Array.from({ length: 200 }, (_, number) => [`src/${number % 20}/${number}`, `${number}`]),
      );
      world.write({ Dockerfile: 'FROM busybox\nCOPY src /src\nRUN cat /src/*/* > /all\n', ...files });
      await using watch = startWatch(world, ['-t', 'app'], { isInspected: true });
      await watch.rest();
      let edits = 0;
      const editUntil = async (isEnough: () => boolean): Promise<Left> => {
        while (!isEnough()) {
          edits++;
          world.write({ [`src/${edits % 20}/${edits % 200}`]: `edit ${edits}` });
          await watch.rest();
        }
        return leftBy(watch, world);
      };
      const isAfter = (number: number) => () => edits >= number && imagesIn(world) === IMAGES;
      const before = await editUntil(isAfter(WARM_UP));
      const after = await editUntil(isAfter(EDITS));
      report(before, after);
      // Node opens some for itself when it first needs them.
      expect(after.held.fds).toBeLessThanOrEqual(before.held.fds + 2);
      expect({ ...after.held, fds: 0 }).toEqual({ ...before.held, fds: 0 });
      // Spare tars come and go.
      expect(after.files).toBeLessThanOrEqual(before.files + 8);
      // As many images, but not of the same folders.
      expect(after.rows).toBeLessThanOrEqual(before.rows * 1.1);
      expect(after.bytes).toBeLessThanOrEqual(before.bytes * (EDITS > 1000 ? 1.01 : 1.1));
      if (EDITS > 1000) expect(after.heap).toBeLessThanOrEqual(before.heap * 1.05);

      watch.kill('SIGINT');
      expect(await watch.exitCode).toBe(130);
      expect(checkStore(world.store)).toEqual([]);
      const said = await world.ok(['run', 'app', 'cat', '/all']);
      expect(said.stdout).toContain(`edit ${edits}`);
    },
  );
});

/** What a watch holds and has left behind. */
interface Left {
  readonly held: Holdings;
  /** Of the heap, in bytes. */
  readonly heap: number;
  /** Of the store: files, the rows of its database, and bytes. */
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
}

async function leftBy(watch: Watching, world: World): Promise<Left> {
  const count = (): Omit<Left, 'heap'> => ({
    held: holdingsOf(watch.pid, world.folder),
    ...filesIn(world.store),
    rows: rowsIn(join(world.store, 'caisson.db')),
  });
  const heap = await watch.heap();
  // Some files are open, or not yet gone, for a moment.
  let last = count();
  await expect
    .poll(
      () => {
        const before = last;
        last = count();
        return JSON.stringify(before) === JSON.stringify(last);
      },
      { timeout: 60_000, interval: 1000 },
    )
    .toBe(true);
  return { ...last, heap };
}

function imagesIn(world: World): number {
  return Math.floor(readdirSync(join(world.store, 'records')).length / 2);
}

function filesIn(folder: string): { readonly files: number; readonly bytes: number } {
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const entries = all.filter((name) => !name.startsWith('reports/')); // fifty, once there were as many builds
  const sizes = entries.map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
  return { files: entries.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

function rowsIn(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all();
    return tables
      .map(({ name }) =>
        Number(database.prepare(`SELECT count(*) AS rows FROM ${String(name)}`).get()?.['rows']),
      )
      .reduce((sum, rows) => sum + rows, 0);
  } finally {
    database.close();
  }
}

/** For whoever runs it to see how much. */
function report(before: Left, after: Left): void {
  const line = ({ held, heap, files, rows, bytes }: Left): string =>
    `${held.fds} fds, ${held.watches} watches, ${held.mounts} mounts, ${held.processes} processes; heap ${(heap / 1e6).toFixed(2)} MB; store ${files} files, ${rows} rows, ${(bytes / 1e6).toFixed(2)} MB`;
  console.log(`after ${WARM_UP} edits: ${line(before)}\nafter ${EDITS}: ${line(after)}`);
}
