import { closeSync, mkdirSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import * as z from 'zod/mini';
import { bareEnvironment, CAISSON } from '../rig/caisson.ts';
import { checkStore } from '../rig/check-store.ts';
import { failureOf } from '../rig/failure-of.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const MIB = 1 << 20;

const entrySchema = z.object({
  kind: z.string(),
  id: z.string(),
  title: z.string(),
  bytes: z.int(),
  lastUsed: z.nullable(z.string()),
  names: z.array(z.string()),
  isInUse: z.boolean(),
  reclaimable: z.int(),
});
type Entry = z.infer<typeof entrySchema>;

async function entriesOf(world: World): Promise<Entry[]> {
  const { stdout } = await world.ok(['du', '-v', '--format', 'json']);
  return z.array(entrySchema).parse(JSON.parse(stdout));
}

/** A step whose layer takes a megabyte, of these bytes. */
function writeStep(world: World, byte: string): void {
  world.write({ Dockerfile: 'FROM scratch\nCOPY big /\n', big: Buffer.alloc(MIB, byte) });
}

function blobBytes(world: World): number {
  const folder = join(world.store, 'blobs/sha256');
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).blocks * 512, 0);
}

/** Writes a file until not one block is left. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  for (const size of [64 << 10, 1 << 10]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    }
  }
  closeSync(file);
}

function writeConfig(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

describe.skipIf(lacks('root'))('--cache-max-size', () => {
  test('keeps the cache small over many builds, and what was used last in it', async ({ world }) => {
    for (const byte of 'abcdefgh') {
      writeStep(world, byte);
      await world.build(['--cache-max-size', '4m']);
      expect(blobBytes(world)).toBeLessThan(4 * MIB);
    }
    const { stderr } = await world.ok(['build', '--cache-max-size', '4m', '.']);
    expect(stderr).toMatch(/ 1 step cached, 0 ran\n$/);
    writeStep(world, 'a');
    expect((await world.ok(['build', '.'])).stderr).toMatch(/ 0 steps cached, 1 ran\n$/);
    expect(checkStore(world.store)).toEqual([]);
  });

  test('does not touch or count what the user named', async ({ world }) => {
    for (const byte of 'abcdef') {
      writeStep(world, byte);
      await world.build(['-t', `app:${byte}`, '--cache-max-size', '2m']);
    }
    const { stdout } = await world.ok(['images', '-q', '--no-trunc']);
    expect(new Set(stdout.trim().split('\n')).size).toBe(6);
    expect(checkStore(world.store)).toEqual([]);
  });

  test('is one warning where running builds need more', async ({ world }) => {
    world.write({
      Dockerfile: 'FROM scratch\nCOPY a /\nCOPY b /\nCOPY c /\n',
      a: Buffer.alloc(MIB, 'a'),
      b: Buffer.alloc(MIB, 'b'),
      c: Buffer.alloc(MIB, 'c'),
    });
    const { stderr } = await world.ok(['build', '--cache-max-size', '2m', '-t', 'app', '.']);
    expect(stderr.split('\n').filter((line) => /^ *(?:warning|hint)/.test(line))).toEqual([
      'warning: the cache takes 2.1 MB, more than its limit of 2.1 MB: builds that are running, this one among them, use all of it',
      '  hint: give it more by --cache-max-size, CAISSON_CACHE_MAX_SIZE or cache-max-size in config.toml',
    ]);
  });

  test('comes from the flag, else the environment, else the config file of the user', async ({ world }) => {
    const config = join(world.folder, 'home/.config/caisson/config.toml');
    const steps = async (): Promise<number> =>
      (await entriesOf(world)).filter(({ kind }) => kind === 'step').length;
    const build = async (
      args: readonly string[],
      env: Readonly<Record<string, string>> = {},
    ): Promise<void> => {
      await world.build(args, { env });
    };
    for (const byte of 'abcd') {
      writeStep(world, byte);
      await build([]);
    }
    expect(await steps()).toBe(4);
    writeConfig(config, '# of this user\ncache-max-size = "4m"\n');
    await build(['--cache-max-size=100%'], { CAISSON_CACHE_MAX_SIZE: '3m' });
    expect(await steps()).toBe(4);
    await build([], { CAISSON_CACHE_MAX_SIZE: '5m' });
    expect(await steps()).toBe(4);
    await build([]);
    expect(await steps()).toBe(3);
    const other = join(world.folder, 'xdg');
    writeConfig(join(other, 'caisson/config.toml'), "cache-max-size = '2.5m'\n");
    await build([], { XDG_CONFIG_HOME: other });
    expect(await steps()).toBe(2);
  });

  test('that makes no sense is told with what would', async ({ world }) => {
    writeStep(world, 'a');
    expect(await failureOf(world, ['build', '--cache-max-size', 'much', '.'])).toMatchInlineSnapshot(`
      "error[usage]: --cache-max-size "much" is no size
        expected: a size, for example 20g, or a part of the disk, for example 10%
        see caisson build --help
      exit code 2
      "
    `);
    expect(await failureOf(world, ['build', '--cache-max-size', '101%', '.'])).toMatchInlineSnapshot(`
      "error[usage]: --cache-max-size "101%" is no size
        expected: a size, for example 20g, or a part of the disk, for example 10%
        see caisson build --help
      exit code 2
      "
    `);
    const config = join(world.folder, 'home/.config/caisson/config.toml');
    const said = async (text: string): Promise<string> => {
      writeConfig(config, text);
      return (await failureOf(world)).replaceAll(world.folder, '');
    };
    expect(await said('cache-max-size = "0"\n')).toMatchInlineSnapshot(`
      "error[invalid-request]: /home/.config/caisson/config.toml: cache-max-size "0" is no size
        expected: a size, for example 20g, or a part of the disk, for example 10%
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
    expect(await said('# sizes\ncache-max-sise = "1g"\n')).toMatchInlineSnapshot(`
      "error[invalid-request]: "cache-max-sise" is no setting
        at /home/.config/caisson/config.toml:2:1
        1 | # sizes
      > 2 | cache-max-sise = "1g"
          | ^^^^^^^^^^^^^^
        expected: cache-max-size
        did you mean cache-max-size?
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
    expect(await said('cache-max-size = 12\n')).toMatchInlineSnapshot(`
      "error[invalid-request]: the value of cache-max-size is no text
        at /home/.config/caisson/config.toml:1:1
      > 1 | cache-max-size = 12
          | ^^^^^^^^^^^^^^
        expected: cache-max-size = "..."
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
    expect(await said('cache-max-size = "1g\n')).toMatchInlineSnapshot(`
      "error[invalid-request]: this is no TOML: control characters are not allowed in strings
        at /home/.config/caisson/config.toml:1:21
      > 1 | cache-max-size = "1g
          |                     ^
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
    mkdirSync(join(world.folder, 'home/xdg/caisson/config.toml'), { recursive: true });
    const folder = await world.run(['build', '.'], {
      env: { XDG_CONFIG_HOME: join(world.folder, 'home/xdg') },
    });
    expect(folder.stderr.replaceAll(world.folder, '')).toMatchInlineSnapshot(`
      "error[invalid-request]: the config file /home/xdg/caisson/config.toml cannot be read: EISDIR: illegal operation on a directory, read
        see docs/errors.md#invalid-request
      "
    `);
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('prune', () => {
  test('takes what fits the filters', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN --mount=type=cache,target=/c echo a | tee /c/a > /a\n' });
    await world.build(['-t', 'app']);
    const kinds = async (): Promise<Record<string, number>> =>
      Object.fromEntries(
        [...Map.groupBy(await entriesOf(world), ({ kind }) => kind)].map(([kind, all]) => [kind, all.length]),
      );
    expect(await kinds()).toEqual({ image: 1, 'base image': 1, step: 1, 'cache mount': 1 });
    await world.ok(['prune', '--all', '--force', '--filter', 'until=1h']);
    expect(await kinds()).toEqual({ image: 1, 'base image': 1, step: 1, 'cache mount': 1 });
    await world.ok(['prune', '--filter', 'type=exec.cachemount']);
    expect(await kinds()).toEqual({ image: 1, 'base image': 1, step: 1 });
    const step = (await entriesOf(world)).find(({ kind }) => kind === 'step');
    expect(step).toMatchObject({ names: ['docker.io/library/app:latest'], isInUse: false });
    await world.ok(['prune', '--filter', `id=${step?.id.slice(0, 12) ?? ''}`, '--filter', 'inuse=false']);
    expect(await kinds()).toEqual({ image: 1, 'base image': 1 });
    await world.ok(['prune', '--filter', 'type=step', '--filter', 'type=base']);
    expect(await kinds()).toEqual({ image: 1 });
    expect((await world.ok(['run', 'app', 'cat', '/a'])).stdout).toBe('a\n');
    expect(checkStore(world.store)).toEqual([]);
  });

  test('leaves as much as it is told to', async ({ world }) => {
    for (const byte of 'abcd') {
      writeStep(world, byte);
      await world.build();
    }
    const steps = async (): Promise<number> =>
      (await entriesOf(world)).filter(({ kind }) => kind === 'step').length;
    await world.ok(['prune', '--keep-storage', '100m', '--min-free-space', '1m']);
    expect(await steps()).toBe(4);
    await world.ok(['prune', '--max-used-space', '3500k']);
    expect(await steps()).toBe(3);
    await world.ok(['prune', '--reserved-space', '2.5m', '--max-used-space', '1m']);
    expect(await steps()).toBe(2);
    await world.ok(['prune', '--min-free-space', '1000t', '--reserved-space', '1500k']);
    expect(await steps()).toBe(1);
    expect((await world.ok(['build', '.'])).stderr).toMatch(/ 1 step cached, 0 ran\n$/);
    expect((await world.ok(['prune', '--keep-storage', '1k'])).stdout).toMatch(
      /^removed 1 unnamed image, 1 step result, 3 blobs: 1\.0\d MB; the cache takes 0 B\n$/,
    );
  });

  test('says what it does not know', async ({ world }) => {
    const said = (...args: string[]): Promise<string> => failureOf(world, ['prune', ...args]);
    expect(await said('--filter', 'untill=24h')).toMatchInlineSnapshot(`
      "error[usage]: --filter "untill=24h" is not known
        expected: until, unused-for, type, id, inuse, for example until=24h or type=step
        did you mean until?
        see caisson prune --help
      exit code 2
      "
    `);
    expect(await said('--filter', 'type=steps')).toMatchInlineSnapshot(`
      "error[usage]: --filter type "steps" is not known
        expected: step, base, image, tree, cache-mount, file, logs, unreadable, regular, exec.cachemount
        did you mean step?
        see caisson prune --help
      exit code 2
      "
    `);
    expect(await said('--filter', 'inuse=maybe')).toMatchInlineSnapshot(`
      "error[usage]: --filter inuse "maybe" is not known
        expected: true, false
        see caisson prune --help
      exit code 2
      "
    `);
    expect(await said('--filter', 'until=24')).toMatchInlineSnapshot(`
      "error[usage]: --filter until "24" is no duration
        expected: a number and s, m, h or d, for example 24h
        see caisson prune --help
      exit code 2
      "
    `);
    expect(await said('--filter', 'until=1h', '--filter', 'until=2h')).toMatchInlineSnapshot(`
      "error[usage]: --filter until can be given once
        see caisson prune --help
      exit code 2
      "
    `);
    expect(await said('--filter', 'inuse=true', '--filter', 'inuse=false')).toMatchInlineSnapshot(`
      "error[usage]: --filter inuse can be given once
        see caisson prune --help
      exit code 2
      "
    `);
    expect(await said('--filter', 'until=1h', '--older-than=1h')).toMatchInlineSnapshot(`
      "error[usage]: --older-than and --filter until are the same
        see caisson prune --help
      exit code 2
      "
    `);
    expect(await said('--keep-storage', 'x')).toMatchInlineSnapshot(`
      "error[usage]: --keep-storage "x" is no size
        expected: a number above 0 with b, k, m or g, for example 64m
        see caisson prune --help
      exit code 2
      "
    `);
    expect(await said('--keep-storage', '1g', '--reserved-space', '1g')).toMatchInlineSnapshot(`
      "error[usage]: --keep-storage and --reserved-space are the same
        see caisson prune --help
      exit code 2
      "
    `);
  });

  test('leaves what a running build uses, and du says so', async ({ world }) => {
    world.write({
      Dockerfile:
        'FROM busybox\nRUN --mount=type=cache,target=/c echo first > /first\nRUN --mount=type=cache,target=/c echo waiting; sleep 4\n',
    });
    const build = execa(process.execPath, [CAISSON, 'build', '-t', 'app', '.'], {
      env: bareEnvironment(world.store),
      extendEnv: false,
      cwd: world.context,
      stdin: 'ignore',
    });
    await new Promise<void>((resolve) => {
      build.stderr.on('data', (chunk: Buffer) => {
        if (/ waiting$/m.test(chunk.toString())) resolve();
      });
    });
    await sleep(50);
    const inUse = (await entriesOf(world)).filter(({ isInUse }) => isInUse);
    expect(inUse.map(({ kind }) => kind).toSorted()).toEqual(['base image', 'cache mount', 'logs', 'step']);
    expect(inUse.map(({ reclaimable }) => reclaimable)).toEqual([0, 0, 0, 0]);
    expect((await world.ok(['du', '-v'])).stdout).toMatch(
      /^step +[0-9a-f]{12} +[\d.]+ kB +\S.* a running build +/m,
    );
    await world.ok(['prune']);
    await world.ok(['prune', '--filter', 'inuse=true']);
    await build;
    expect((await world.ok(['run', 'app', 'cat', '/first'])).stdout).toBe('first\n');
    expect(checkStore(world.store)).toEqual([]);
  });
});

describe.skipIf(lacks('root', 'mkfs.ext4'))('a disk without a byte left', () => {
  test('is freed by prune, and built on again', async ({ world }) => {
    const disk = join(world.folder, 'disk');
    await execa('truncate', ['-s', '24M', `${disk}.img`]);
    await execa('mkfs.ext4', ['-q', '-m', '0', `${disk}.img`]);
    mkdirSync(disk);
    await execa('mount', ['-o', 'loop', `${disk}.img`, disk]);
    try {
      const options = { root: join(disk, 'store'), env: { HOME: join(world.folder, 'home') } };
      writeStep(world, 'a');
      const id = await world.build(['-t', 'app'], options);
      for (const byte of 'bcde') {
        writeStep(world, byte);
        await world.build(['--cache-max-size', '90%'], options);
      }
      fill(join(disk, 'filler'));
      writeStep(world, 'f');
      const full = await world.run(['build', '--cache-max-size', '90%', '.'], options);
      const pruned = await world.run(['prune'], options);
      expect(pruned).toMatchObject({ exitCode: 0, stderr: '' });
      expect(pruned.stdout).toMatch(/^removed 4 unnamed images, 5 step results, /);
      expect(full.exitCode).toBe(1);
      expect(full.stderr).toMatch(/^error\[no-space\]: [^\n]*no space left on the disk/m);
      await world.build(['-t', 'other', '--cache-max-size', '50%'], options);
      expect((await world.ok(['images', '-q', '--no-trunc'], options)).stdout).toContain(id);
      expect(checkStore(options.root)).toEqual([]);
    } finally {
      await execa('umount', [disk]);
    }
  });
});
