import {
  closeSync,
  cpSync,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  symlinkSync,
  truncateSync,
  appendFileSync,
  writeSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { checkStore } from '../rig/check-store.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const APP = {
  Dockerfile:
    'FROM busybox AS one\nWORKDIR /app\nCOPY src src\nRUN rm /bin/false && cat src/* > all && mkdir new && ln all new/all\nFROM busybox\nCOPY --from=one /app/all /copy\nRUN touch /last\n',
  'src/a': 'a\n',
  'src/b': 'b\n',
};

/** With it, what is built again is what was there. */
const EPOCH = { env: { SOURCE_DATE_EPOCH: '1600000000' } };

/**
 * The stored files, each once: without the version, which must be right for anything to be read, what is derived and has a
 * test of its own (caisson.db), and what no build reads (reports).
 */
function storedFiles(store: string): string[] {
  const inodes = new Set<number>();
  return readdirSync(store, { recursive: true, encoding: 'utf8' })
    .map((name) => join(store, name))
    .filter((path) => {
      const stat = lstatSync(path);
      const name = relative(store, path);
      if (!stat.isFile() || stat.size === 0 || /^caisson\.db|\.lock$|^store\.json$|^reports\//.test(name))
        return false;
      if (inodes.has(stat.ino)) return false;
      inodes.add(stat.ino);
      return true;
    })
    .toSorted();
}

/** A tree is one object: of its files, the one in the middle. */
function oneOfEachTree(store: string, files: readonly string[]): string[] {
  const groups = Map.groupBy(files, (path) => objectOf(store, path));
  return [...groups].flatMap(([object, all]) =>
    object.startsWith('trees/') ? all.slice(all.length / 2).slice(0, 1) : all,
  );
}

function flipBit(path: string): void {
  const file = openSync(path, 'r+');
  const at = Math.floor(Math.random() * lstatSync(path).size);
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  writeSync(file, Buffer.of((byte[0] ?? 0) ^ (1 << Math.floor(Math.random() * 8))), 0, 1, at);
  closeSync(file);
}

/** What verify names of a file: a tree is one object. */
function objectOf(store: string, path: string): string {
  const name = relative(store, path);
  return name.startsWith('trees/') ? name.split('/').slice(0, 2).join('/') : name;
}

async function problemsOf(world: World, args: readonly string[] = []): Promise<string[]> {
  const { stdout, exitCode } = await world.run(['store', 'verify', ...args]);
  const lines = stdout.trim().split('\n').slice(0, -1);
  expect(exitCode).toBe(lines.length > 0 && !args.includes('--repair') ? 1 : 0);
  return [...new Set(lines.map((line) => line.split(' ')[0] ?? ''))];
}

const build = (world: World): Promise<string> => world.build(['-t', 'app'], EPOCH);

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a store with a damaged file', () => {
  test(
    'verify names exactly what a flipped bit damaged, and the next build is right',
    { timeout: 600_000 },
    async ({ world }) => {
      world.write(APP);
      const id = await build(world);
      expect(await problemsOf(world)).toEqual([]);
      const files = storedFiles(world.store);
      expect(files.length).toBeGreaterThan(25);
      const pristine = join(world.folder, 'pristine');
      await execa('cp', ['-a', world.store, pristine]);
      for (const path of oneOfEachTree(world.store, files)) {
        if (!existsSync(path) || objectOf(world.store, path).startsWith('trees/')) {
          // What nothing has needed since it was removed has not been made again. A tree is compared with its table of
          // contents, so that must be there.
          rmSync(world.store, { recursive: true });
          await execa('cp', ['-a', pristine, world.store]);
        }
        flipBit(path);
        const object = objectOf(world.store, path);
        expect(await problemsOf(world)).toEqual([object]);
        // A tree is not read through at each build; and without an index nobody knows what the names are.
        const isTrusted = object.startsWith('trees/') || object === 'index.json';
        if (!isTrusted) expect([object, await build(world)]).toEqual([object, id]);
        await problemsOf(world, ['--repair']);
        if (isTrusted) expect([object, await build(world)]).toEqual([object, id]);
        expect([object, ...checkStore(world.store)]).toEqual([object]);
        // That all of it is mended shows when the next file is damaged: verify names that one alone.
      }
      expect(await problemsOf(world)).toEqual([]);
      expect((await world.ok(['run', 'app', 'cat', '/copy'])).stdout).toBe('a\nb\n');
    },
  );

  const damages: readonly [string, (path: string) => void][] = [
    ['deleted', (path) => rmSync(path)],
    ['emptied', (path) => truncateSync(path, 0)],
    ['truncated', (path) => truncateSync(path, Math.floor(lstatSync(path).size / 2))],
    ['extended', (path) => appendFileSync(path, 'x')],
    [
      'replaced by a link',
      (path) => {
        const outside = `${path}.outside`;
        cpSync(path, outside);
        rmSync(path);
        symlinkSync(outside, path);
      },
    ],
  ];
  test.for(damages)(
    'every file %s: the next build is right',
    { timeout: 300_000 },
    async ([, damage], { world }) => {
      world.write(APP);
      const id = await build(world);
      for (const folder of ['blobs/sha256', 'records', 'tocs', 'bases']) {
        for (const path of storedFiles(world.store).filter((each) =>
          each.startsWith(join(world.store, folder)),
        )) {
          damage(path);
          expect([path, await build(world)]).toEqual([path, id]);
        }
      }
      await world.run(['store', 'verify', '--repair']);
      expect(await build(world)).toBe(id);
      expect((await world.ok(['run', 'app', 'cat', '/copy'])).stdout).toBe('a\nb\n');
      expect(await problemsOf(world)).toEqual([]);
      expect(checkStore(world.store)).toEqual([]);
    },
  );
});
