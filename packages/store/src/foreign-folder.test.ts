import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openStore } from './store.ts';

const folder = mkdtempSync(join(tmpdir(), 'caisson-foreign-'));
afterAll(() => rmSync(folder, { recursive: true }));

function folderWith(name: string, ...files: readonly string[]): string {
  const path = join(folder, name);
  mkdirSync(path, { mode: 0o755 });
  for (const file of files) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), 'mine');
  }
  return path;
}

const shown = (path: string): object => ({
  mode: statSync(path).mode & 0o777,
  files: readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted(),
});

test.each([
  ['a', ['notes.txt'], 'notes.txt'],
  ['b', ['tmp/mine.txt'], 'tmp'],
  ['c', ['logs/mine.txt', 'tmp/sub/mine.txt'], 'logs'],
  ['d', ['builds/mine.lease'], 'builds'],
  ['e', ['blobs/sha256/mine'], 'blobs'],
  ['f', ['index.json'], 'index.json'],
])('a folder of somebody (%s) is no store, and stays as it is', async (name, files, foreign) => {
  const path = folderWith(name, ...files);
  const before = shown(path);
  await expect(openStore(path)).rejects.toMatchObject({
    code: 'not-a-store',
    message: `the folder ${path} is no store, but not empty: it has ${foreign}`,
    hint: 'choose a folder of its own for the store (--root, CAISSON_ROOT)',
  });
  expect(shown(path)).toEqual(before);
});

test('an empty folder becomes one, and a file system of its own', async () => {
  for (const path of [folderWith('empty'), folderWith('disk', 'lost+found/x')]) {
    using store = await openStore(path);
    expect(readFileSync(store.paths.version, 'utf8')).toBe('{"version":1}\n');
  }
});

test('one that was begun is finished, and one whose version was lost has it again', async () => {
  const whole = join(folder, 'whole');
  (await openStore(whole))[Symbol.dispose]();
  rmSync(join(whole, 'store.json'));
  const begun = join(folder, 'begun');
  cpSync(whole, begun, { recursive: true });
  for (const name of readdirSync(begun)) if (name.startsWith('caisson.db')) rmSync(join(begun, name));
  rmSync(join(begun, 'tmp'), { recursive: true });
  writeFileSync(join(begun, 'index.json'), '');
  writeFileSync(join(whole, 'records/x'), '');
  for (const path of [whole, begun]) {
    using store = await openStore(path);
    expect(readFileSync(store.paths.version, 'utf8')).toBe('{"version":1}\n');
  }
});

test('a folder that cannot be made is an error', async () => {
  await expect(openStore('/proc/caisson/store')).rejects.toMatchObject({
    code: 'no-access',
    message: 'the folder /proc/caisson/store cannot be made there',
    hint: 'choose another folder (--root, CAISSON_ROOT)',
  });
});
