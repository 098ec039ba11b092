import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { whyNoMaps } from '../rig/forms.ts';
import { traced, type Syscalls } from '../rig/syscalls.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

/*
 * What builds ask of the kernel, counted: it does not depend on how busy the machine is, and each count is what makes
 * some work slow. Where a limit is passed, look why before raising it; where a count falls for good, lower its limit.
 */

const FILES = 1000;
const BYTES = 3000;

/** A context of many files. */
function writeContext(world: World, ...after: readonly string[]): void {
  for (let number = 0; number < FILES; number++)
    world.write({ [`files/${number % 10}/file-${number}`]: `${number} `.repeat(BYTES).slice(0, BYTES) });
  world.write({ Dockerfile: ['FROM busybox', 'COPY files /files', ...after, ''].join('\n') });
}

const OPEN = ['openat', 'open'] as const;
const STAT = ['lstat', 'newfstatat', 'statx'] as const;
const WRITE = ['write', 'pwrite64', 'writev'] as const;
const SYNC = ['fsync', 'fdatasync', 'syncfs'] as const;
/** The barrier of a build, and index.json behind it. */
const SYNCS = 2;
const CONTEXT_FILE = /context\/files\/\d\/file-/;
const TREE_FILE = /store\/.*\/files\/\d\/file-/;

/** A map that is being written. */
const NEW_MAP = /store\/tmp\/[^/]+\/map-\d+"/;

/** Something in a tree of the store, as it is seen from outside of a sandbox. */
const TREE = /store\/trees\/[^/]+\//;

/** How many programs were started, Caisson itself not counted. */
function programs(calls: Syscalls): number {
  return calls.count('execve') - 1;
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'crun', 'strace'))('what a build costs', () => {
  test('with many files that a RUN stands on', async ({ world }) => {
    writeContext(world, 'RUN true');
    await world.ok(['pull', 'busybox']);
    const cold = await traced(world, 'build', '--forms', 'trees', '.');
    expect(cold.on(CONTEXT_FILE, ...OPEN)).toBeLessThanOrEqual(2 * FILES); // for the key, and into the layer
    expect(cold.on(CONTEXT_FILE, ...STAT)).toBeLessThanOrEqual(FILES);
    expect(cold.on(TREE_FILE, ...OPEN)).toBeGreaterThanOrEqual(FILES); // the tree, of which this test knows the place
    expect(cold.on(TREE_FILE, ...OPEN)).toBeLessThanOrEqual(FILES);
    expect(cold.bytes(...WRITE)).toBeLessThan(3 * FILES * BYTES + 10_000_000); // tar, tree; some 4 MB of base
    expect(cold.count(...SYNC)).toBe(SYNCS);
    // setpriv, unshare, the host; crun, the command
    expect(programs(cold)).toBeLessThanOrEqual(5);

    // Files that changed just now are read again, for the clock of the kernel ticks slowly.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await world.ok(['build', '--forms', 'trees', '.']);
    const again = await traced(world, 'build', '.');
    expect(again.on(CONTEXT_FILE, ...OPEN)).toBe(0);
    expect(again.on(CONTEXT_FILE, ...STAT)).toBeLessThanOrEqual(FILES);
    expect(again.bytes(...WRITE)).toBeLessThan(200_000);
    expect(again.count(...SYNC)).toBe(0);
    expect(programs(again)).toBe(0);

    writeFileSync(join(world.context, 'files/3/file-3'), 'edited');
    const edited = await traced(world, 'build', '--forms', 'trees', '.');
    expect(edited.on(CONTEXT_FILE, ...OPEN)).toBe(2); // the one that changed: for the key, and into the layer
    expect(edited.on(CONTEXT_FILE, ...STAT)).toBeLessThanOrEqual(FILES);
    expect(edited.on(TREE_FILE, ...OPEN)).toBe(1); // what is different of the tree
    // The tar, once; tables of contents; a copy of crun in memory.
    expect(edited.bytes(...WRITE)).toBeLessThan(FILES * BYTES + 3_000_000);
    expect(edited.count(...SYNC)).toBe(SYNCS);
    expect(programs(edited)).toBeLessThanOrEqual(5);
  });

  test.skipIf(whyNoMaps !== undefined)(
    `with many files that a RUN stands on, through maps${whyNoMaps === undefined ? '' : ` (${whyNoMaps})`}`,
    async ({ world }) => {
      writeContext(world, 'RUN cat /files/3/file-3 > /copy');
      await world.ok(['pull', 'busybox']);
      const cold = await traced(world, 'build', '.');
      expect(cold.on(CONTEXT_FILE, ...OPEN)).toBeLessThanOrEqual(2 * FILES);
      expect(cold.on(TREE_FILE, ...OPEN)).toBe(0); // none of them is unpacked
      expect(cold.bytes(...WRITE)).toBeLessThan(FILES * BYTES + 10_000_000); // tar, map; some 4 MB of base
      expect(cold.on(NEW_MAP, ...OPEN)).toBe(1); // of the copied files: the base is compressed, and unpacked
      expect(cold.count(...SYNC)).toBe(SYNCS);
      expect(programs(cold)).toBeLessThanOrEqual(6);

      await new Promise((resolve) => setTimeout(resolve, 100));
      await world.ok(['build', '.']);
      writeFileSync(join(world.context, 'files/3/file-3'), 'edited');
      const edited = await traced(world, 'build', '.');
      expect(edited.on(CONTEXT_FILE, ...OPEN)).toBe(2);
      expect(edited.on(NEW_MAP, ...OPEN)).toBe(0);
      expect(edited.on(TREE_FILE, ...OPEN)).toBe(1); // what is different lies on the map that is there
      expect(edited.bytes(...WRITE)).toBeLessThan(FILES * BYTES + 3_000_000);
      expect(edited.count(...SYNC)).toBe(SYNCS);
      expect(programs(edited)).toBeLessThanOrEqual(6);
    },
  );

  test('with many files that nothing stands on: no tree is written', async ({ world }) => {
    writeContext(world);
    const archive = join(world.folder, 'image.tar');
    const calls = await traced(world, 'build', '-o', `type=oci,dest=${archive}`, '.');
    expect(calls.on(CONTEXT_FILE, ...OPEN)).toBeLessThanOrEqual(2 * FILES);
    expect(calls.on(TREE_FILE, ...OPEN)).toBe(0);
    expect(programs(calls)).toBe(0);
  });

  test('in memory, with ten thousand files', async ({ world }) => {
    const files = Array.from({ length: 10 * FILES }, (_, number) => number);
    world.write(
      Object.fromEntries(files.map((number) => [`files/${number % 100}/file-${number}`, `${number}`])),
    );
    world.write({ Dockerfile: 'FROM scratch\nCOPY files /files\n' });
    const peak = join(world.folder, 'peak');
    const hook = join(world.folder, 'hook.mjs');
    writeFileSync(
      hook,
      `import { writeFileSync } from 'node:fs';
      process.on('exit', () => writeFileSync(${JSON.stringify(peak)}, String(process.resourceUsage().maxRSS)));`,
    );
    await world.ok(['build', '.'], { env: { NODE_OPTIONS: `--import=${hook}` } });
    // In kB. It was 110 MB when this was written, and 180 MB before objects were counted.
    expect(Number(readFileSync(peak, 'utf8'))).toBeLessThan(150_000);
  });

  test('with many RUN steps', async ({ world }) => {
    const steps = 10;
    const lines = Array.from({ length: steps }, (_, number) => `RUN echo ${number} > /file-${number}`);
    world.write({ Dockerfile: ['FROM busybox', ...lines, ''].join('\n') });
    await world.ok(['pull', 'busybox']);
    await world.ok(['run', 'busybox', 'true']);
    const calls = await traced(world, 'build', '.');
    expect(programs(calls)).toBeLessThanOrEqual(3 + 2 * steps); // the host; for each step crun, the shell
    expect(calls.count(...SYNC)).toBe(SYNCS);
    expect(calls.on(TREE, ...STAT)).toBeLessThanOrEqual(5 * steps); // the trees of the base are not walked
    // A copy of crun in memory, of half a megabyte; for each step what crun is told, and what it keeps of that.
    expect(calls.bytes(...WRITE)).toBeLessThan(700_000 + steps * 100_000);
  });
});
