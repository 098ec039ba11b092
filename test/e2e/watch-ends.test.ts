import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { tryLockFile } from '@caisson/store';
import { describe, expect } from 'vitest';
import { checkStore } from '../rig/check-store.ts';
import { eventually, mountsBelow, processesWith } from '../rig/leftovers.ts';
import { TerminalRun } from '../rig/tmux.ts';
import { lacks } from '../rig/tools.ts';
import { becomes, OUT } from '../rig/watched-image.ts';
import { LIKE_A_USER, startWatch } from '../rig/watching.ts';
import { test, type World } from '../rig/world.ts';

/** What a watch that has ended must not leave. @param marker in the command lines of what it started */
async function leavesNothing(world: World, marker: string): Promise<void> {
  const left = (): string[] => [...processesWith(world.folder), ...processesWith(marker)];
  await eventually(() => left().length === 0);
  expect(left()).toEqual([]);
  expect(mountsBelow(world.folder)).toEqual([]);
  expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
  expect(readdirSync(join(world.store, 'builds'))).toEqual([]);
  expect(checkStore(world.store)).toEqual([]);
}

/** A command that does not end when it is asked to. */
const stubborn = (marker: string): string =>
  `trap '' TERM INT HUP; echo up; while true; do sleep ${marker}; done`;

const SCRATCH = { Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'a' };

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('caisson watch ends, and leaves nothing', () => {
  test('while a step runs that does not want to', async ({ world }) => {
    const marker = `0.${process.pid}1`;
    world.write({ Dockerfile: `FROM busybox\nRUN ${stubborn(marker)}\n` });
    await using watch = startWatch(world);
    await watch.line(/^#1 .* up$/);
    watch.kill('SIGINT');
    expect(await watch.exitCode).toBe(130);
    await leavesNothing(world, marker);
  });

  test.each([
    ['--exec', (marker: string) => ['--exec', stubborn(marker)]],
    ['--run', (marker: string) => [`--run=sh -c "${stubborn(marker)}"`]],
    [
      '--exec and --run',
      (marker: string) => ['--exec', stubborn(marker), `--run=sh -c "${stubborn(marker)}"`],
    ],
  ])('while what %s started runs and does not want to', async (option, args) => {
    const { makeWorld, removeWorld } = await import('../rig/world.ts');
    const world = makeWorld();
    const marker = `0.${process.pid}${option.length}`;
    world.write({ Dockerfile: 'FROM busybox\nCOPY a /\n', a: 'a' });
    await using watch = startWatch(world, args(marker));
    await watch.output(/^up$/m);
    watch.kill('SIGINT');
    expect(await watch.exitCode).toBe(130);
    await leavesNothing(world, marker);
    await removeWorld(world);
  });

  test('while another command prunes the cache, which a build waits for', async ({ world }) => {
    world.write(SCRATCH);
    await using watch = startWatch(world, ['-t', 'app']);
    await watch.rest();
    using _pruning = tryLockFile(join(world.store, 'store.lock'), 'exclusive');
    world.write({ a: 'b' });
    await eventually(() => readdirSync(join(world.store, 'builds')).length === 2); // it has begun
    watch.kill('SIGINT');
    expect(await watch.exitCode).toBe(130);
    await leavesNothing(world, world.folder);
  });

  test('while it waits to take old layers out of the store itself', async ({ world }) => {
    world.write(SCRATCH);
    await using watch = startWatch(world, ['-t', 'app']);
    await watch.rest();
    for (let edit = 0; edit < 19; edit++) {
      world.write({ a: `edit ${edit}` });
      await watch.rest();
    }
    // Somebody who is adding to the store: a build goes on beside that, but nothing is taken out.
    using _building = tryLockFile(join(world.store, 'store.lock'), 'shared');
    world.write({ a: 'one too many' });
    await watch.rest();
    await eventually(() => readdirSync(join(world.store, 'builds')).length === 2); // that of the removal
    watch.kill('SIGINT');
    expect(await watch.exitCode).toBe(130);
    await leavesNothing(world, world.folder);
  });

  test('when its pipe is closed, with the next line', async ({ world }) => {
    world.write(SCRATCH);
    await using watch = startWatch(world);
    await watch.rest();
    watch.stopReading();
    world.write({ a: 'b' });
    expect(await watch.exitCode).toBe(141);
    await leavesNothing(world, world.folder);
  });

  test('without a standard input it goes on', async ({ world }) => {
    world.write(SCRATCH);
    await using watch = startWatch(world, OUT, { through: ['sh', '-c', 'exec "$@" <&-', 'sh'] });
    await watch.rest();
    world.write({ a: 'b' });
    await becomes(world, { a: 'b' });
  });

  test.skipIf(lacks('tmux'))('with its terminal', { timeout: 120_000 }, async ({ world }) => {
    const marker = `0.${process.pid}2`;
    world.write({ Dockerfile: 'FROM busybox\nCOPY a /\n', a: 'a' });
    const args = ['watch', `--run=sh -c "${stubborn(marker).replaceAll("'", '')}"`, '.'];
    await using run = await TerminalRun.start(world, args, { columns: 80, rows: 24 });
    await run.shows(/^up$/m);
    await run[Symbol.asyncDispose]();
    await leavesNothing(world, marker);
  });
});

describe.skipIf(lacks('root'))('caisson watch, and a folder that cannot be read', () => {
  test('says so, and goes on when it can be', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY src /\n', 'src/a': 'a' });
    const closed = join(world.context, 'src/closed');
    mkdirSync(closed, { mode: 0o000 });
    await using watch = startWatch(world, OUT, { through: LIKE_A_USER });
    const refused = `error[no-permission]: the folder ${closed} cannot be read: permission denied
  at Dockerfile:2:1
  1 | FROM scratch
> 2 | COPY src /
    | ^^^^^^^^^^
  see docs/errors.md#no-permission
waiting for changes
`;
    expect(await watch.rest()).toContain(refused);
    chmodSync(closed, 0o755);
    await becomes(world, { a: 'a' });
    world.write({ 'src/closed/b': 'b' });
    await becomes(world, { a: 'a', 'closed/b': 'b' });
    chmodSync(closed, 0o000);
    const again = /^error\[no-permission\]: the folder .*\/closed cannot be read: permission denied$/;
    await watch.line(again);
    world.write({ 'src/a': 'aa' });
    await watch.line(again);
    chmodSync(closed, 0o755);
    await becomes(world, { a: 'aa', 'closed/b': 'b' });
  });
});
