import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { checkStore } from '../rig/check-store.ts';
import { failureOf } from '../rig/failure-of.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const APP = { Dockerfile: 'FROM busybox\nCOPY a /a\nRUN cat /a > /b\n', a: 'a\n' };

/** With it, what is built again is what was there. */
const EPOCH = { env: { SOURCE_DATE_EPOCH: '1600000000' } };

const build = (world: World): Promise<string> => world.build(['-t', 'app'], EPOCH);

const tell = async (world: World, args?: readonly string[]): Promise<string> =>
  (await failureOf(world, args)).replaceAll(world.folder, '');

const hidden = (text: string): string => text.replaceAll(/[0-9a-f]{64}/g, 'HEX');

/** Everything in a folder, with its bytes. */
function contentOf(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const path = join(folder, name);
      return [name, lstatSync(path).isFile() ? readFileSync(path, 'latin1') : ''];
    });
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a store that cannot be trusted', () => {
  test('of a newer version is left as it is', async ({ world }) => {
    world.write(APP);
    await build(world);
    writeFileSync(join(world.store, 'store.json'), '{"version":7}\n');
    const before = contentOf(world.store);
    const said = await tell(world);
    expect(said).toMatchInlineSnapshot(`
      "error[store]: the store /store has version 7; this Caisson reads version 1
        hint: use the Caisson that wrote it, or another folder (CAISSON_ROOT)
        see docs/errors.md#store
      exit code 1
      "
    `);
    for (const args of [['images'], ['prune'], ['du'], ['store', 'verify', '--repair']]) {
      expect(await tell(world, args)).toBe(
        said.replace('error[store]', 'error[unsupported-version]').replace(/^ {2}see.*\n/m, ''),
      );
    }
    expect(contentOf(world.store)).toEqual(before);
    writeFileSync(join(world.store, 'store.json'), 'seven');
    expect(await tell(world)).toMatchInlineSnapshot(`
      "error[store]: /store/store.json does not say which version the store /store has
        see docs/errors.md#store
      exit code 1
      "
    `);
  });

  test('of another user, or that others can write to', async ({ world }) => {
    world.write(APP);
    const id = await build(world);
    chownSync(world.store, 65534, 65534);
    expect(await tell(world)).toMatchInlineSnapshot(`
      "error[store]: the store /store belongs to user 65534, not to user 0
        hint: use another folder (CAISSON_ROOT); or, if you trust what is in it, chown 0 /store
        see docs/errors.md#store
      exit code 1
      "
    `);
    chownSync(world.store, 0, 0);
    chmodSync(world.store, 0o775);
    expect(await tell(world)).toMatchInlineSnapshot(`
      "error[store]: the store /store can be written by others: its mode is 0775
        hint: chmod 700 /store, and look with caisson store verify at what is in it
        see docs/errors.md#store
      exit code 1
      "
    `);
    expect(await tell(world, ['images'])).toContain(
      'error[no-access]: the store /store can be written by others',
    );
    // What others can only read is closed to them.
    chmodSync(world.store, 0o755);
    expect(await build(world)).toBe(id);
    expect(lstatSync(world.store).mode & 0o777).toBe(0o700);
  });

  test('that is a file', async ({ world }) => {
    world.write(APP);
    writeFileSync(world.store, '');
    expect(await tell(world)).toMatchInlineSnapshot(`
      "error[store]: the store /store is no folder
        see docs/errors.md#store
      exit code 1
      "
    `);
  });

  test('that would lie in a file', async ({ world }) => {
    world.write(APP);
    writeFileSync(world.store, '');
    const { exitCode, stderr } = await world.run(['build', '.'], { root: join(world.store, 'below') });
    expect(exitCode).toBe(1);
    expect(stderr.replaceAll(world.folder, '')).toBe(
      'error[store]: /store/below cannot be the folder of a store: a file is in the way\n' +
        '  hint: choose another folder (CAISSON_ROOT)\n' +
        '  see docs/errors.md#store\n',
    );
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a store heals', () => {
  test.for([
    ['is no database', (path: string) => writeFileSync(path, 'this is no database')],
    ['is empty', (path: string) => writeFileSync(path, '')],
    [
      'is broken in its middle',
      (path: string) => {
        const bytes = readFileSync(path);
        writeFileSync(path, bytes.fill(0xff, 4096, 8192));
      },
    ],
    [
      'is of another version',
      (path: string) =>
        execFileSync(process.execPath, [
          '-e',
          `new (require('node:sqlite').DatabaseSync)(${JSON.stringify(path)}).exec('PRAGMA user_version = 99')`,
        ]),
    ],
    [
      'is a folder',
      (path: string) => {
        rmSync(path);
        mkdirSync(join(path, 'sub'), { recursive: true });
      },
    ],
  ] as const)('where caisson.db %s', async ([, damage], { world }) => {
    world.write(APP);
    const id = await build(world);
    for (const suffix of ['-wal', '-shm']) rmSync(join(world.store, `caisson.db${suffix}`), { force: true });
    damage(join(world.store, 'caisson.db'));
    const { stderr, stdout } = await world.ok(['build', '-t', 'app', '.'], EPOCH);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/ 2 steps cached, 0 ran\n$/);
    expect(stderr).not.toMatch(/warning|error/);
    expect(await build(world)).toBe(id);
    await world.ok(['prune']);
    expect(await build(world)).toBe(id);
    expect(checkStore(world.store)).toEqual([]);
  });

  test('and is built on beside somebody who locks caisson.db', async ({ world }) => {
    world.write(APP);
    const id = await build(world);
    const path = JSON.stringify(join(world.store, 'caisson.db'));
    const holder = spawn(process.execPath, [
      '-e',
      `const db = new (require('node:sqlite').DatabaseSync)(${path}); db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE mine (a)'); console.log('locked'); setInterval(() => {}, 1000)`,
    ]);
    try {
      await new Promise((resolve) => holder.stdout.once('data', resolve));
      const before = performance.now();
      expect(await build(world)).toBe(id);
      expect(performance.now() - before).toBeLessThan(30_000);
      expect(readdirSync(world.store)).toContain('caisson.db');
    } finally {
      holder.kill();
    }
    expect(await build(world)).toBe(id);
  });

  test('where a folder of it is gone', async ({ world }) => {
    world.write(APP);
    const id = await build(world);
    for (const folder of ['trees', 'tocs', 'records', 'bases', 'builds', 'tmp', 'blobs']) {
      rmSync(join(world.store, folder), { recursive: true });
      expect([folder, await build(world)]).toEqual([folder, id]);
    }
    expect(checkStore(world.store)).toEqual([]);
  });

  test('where records are garbage or hostile', { timeout: 300_000 }, async ({ world }) => {
    world.write(APP);
    const id = await build(world);
    const records = join(world.store, 'records');
    const outside = mkdtempSync(join(world.folder, 'outside-'));
    writeFileSync(join(outside, 'S'), 'canary');
    const garbage = [
      '',
      'null',
      '[]',
      '{"version":1}',
      '{"__proto__":{"polluted":true}}',
      '['.repeat(100_000),
      JSON.stringify({ version: 1, layer: { diffId: '../../../outside/S', size: -1 } }),
      '\0'.repeat(4096),
    ];
    for (const text of garbage) {
      for (const name of readdirSync(records)) writeFileSync(join(records, name), text);
      for (const name of readdirSync(join(world.store, 'bases')))
        writeFileSync(join(world.store, 'bases', name), text);
      expect([text, await build(world)]).toEqual([text, id]);
    }
    // One that is sound in itself and was written by somebody else counts for nothing: it is not sealed as ours are.
    for (const name of readdirSync(records)) {
      const path = join(records, name);
      writeFileSync(
        path,
        readFileSync(path, 'utf8').replace(/"created":"[^"]*"/, '"created":"1999-01-01T00:00:00Z"'),
      );
    }
    expect(await build(world)).toBe(id);
    writeFileSync(join(records, '..%2f..%2foutside'), 'x');
    writeFileSync(join(records, `${'a'.repeat(64)}.json`), 'x');
    mkdirSync(join(records, 'folder'));
    expect((await world.ok(['du'])).stdout).toMatch(/^unreadable +3 /m);
    await world.ok(['prune']);
    expect(readdirSync(records)).toEqual([]);
    expect(await build(world)).toBe(id);
    expect(contentOf(outside)).toEqual([['S', 'canary']]);
  });

  test('where index.json is gone or no index: by repair', async ({ world }) => {
    world.write(APP);
    const id = await build(world);
    const index = join(world.store, 'index.json');
    rmSync(index);
    expect(await tell(world, ['images'])).toMatchInlineSnapshot(`
      "error[damaged]: /store/index.json is not there
        hint: caisson store verify says all that is wrong; with --repair it mends what it can
      exit code 1
      "
    `);
    writeFileSync(index, '{');
    expect(await tell(world, ['build', '-t', 'app', '.'])).toMatchInlineSnapshot(`
      "error[store]: /store/index.json: the document is not JSON: Expected property name or '}' in JSON at position 1 (line 1 column 2)
        at Dockerfile:1:6
      > 1 | FROM busybox
          |      ^^^^^^^
        hint: caisson store verify says all that is wrong; with --repair it mends what it can
        see docs/errors.md#store
      exit code 1
      "
    `);
    expect(await world.run(['store', 'verify'])).toEqual({
      exitCode: 1,
      stdout: 'index.json is no image index\n1 problem; --repair removes what is wrong\n',
      stderr: '',
    });
    expect((await world.ok(['store', 'verify', '--repair'])).stdout).toMatchInlineSnapshot(`
      "index.json is no image index; made anew, empty; what was there lies beside it as index.json.damaged
      mended 1 problem
      "
    `);
    expect(readFileSync(`${index}.damaged`, 'utf8')).toBe('{');
    expect(await build(world)).toBe(id);
    expect((await world.ok(['store', 'verify', '--format', 'json'])).stdout).toMatchInlineSnapshot(`
      "{
        "problems": [],
        "unknown": 0,
        "isRepaired": false
      }
      "
    `);
  });

  test('where an image lacks a blob: by repair', async ({ world }) => {
    world.write(APP);
    const id = await build(world);
    world.write({ a: 'other\n' });
    await world.build(['-t', 'other'], EPOCH);
    rmSync(join(world.store, 'blobs/sha256', id.slice('sha256:'.length)));
    expect(hidden(await tell(world, ['images']))).toMatchInlineSnapshot(`
      "error[missing-blob]: the blob sha256:HEX is not in the store
        hint: caisson store verify says all that is wrong; with --repair it mends what it can
      exit code 1
      "
    `);
    // Nothing else depends on it.
    await world.ok(['prune', '--dry-run']);
    await world.ok(['du', '-v']);
    expect(hidden((await world.ok(['store', 'verify', '--repair'])).stdout)).toMatchInlineSnapshot(`
      "index.json names docker.io/library/app:latest, which needs sha256:HEX, and that is not there; does not name docker.io/library/app:latest any more: build or pull it again
      mended 1 problem
      "
    `);
    expect((await world.ok(['run', 'other', 'cat', '/b'])).stdout).toBe('other\n');
    world.write({ a: 'a\n' });
    expect(await build(world)).toBe(id);
  });
});
