import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { eventually, mountsBelow, processesWith } from '../rig/leftovers.ts';
import { lacks } from '../rig/tools.ts';
import { becomes, OUT } from '../rig/watched-image.ts';
import { startWatch } from '../rig/watching.ts';
import { test, type World } from '../rig/world.ts';

/** A RUN that says that it began, and waits until it is let go. Each run adds a line to `runs`. */
const HELD = (id: string): string =>
  `RUN --mount=type=cache,id=${id},target=/hold echo ran >> /hold/runs; while [ ! -e /hold/go ]; do sleep 0.02; done`;

/** Where such a step waits, as soon as it has begun. */
async function held(world: World, runs: number): Promise<{ go(): void; runs(): number }> {
  const mounts = join(world.store, 'cache-mounts');
  const folder = (): string | undefined =>
    existsSync(mounts)
      ? readdirSync(mounts)
          .map((name) => join(mounts, name))
          .find((path) => existsSync(join(path, 'runs')) && linesOf(join(path, 'runs')) >= runs)
      : undefined;
  await expect.poll(folder, { timeout: 60_000, interval: 20 }).toBeDefined();
  const path = folder() ?? '';
  return { go: () => writeFileSync(join(path, 'go'), ''), runs: () => linesOf(join(path, 'runs')) };
}

function linesOf(path: string): number {
  return readFileSync(path, 'utf8').split('\n').length - 1;
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('caisson watch, while a step runs', () => {
  test('a change that it does not depend on lets it go on, and is in the image', async ({ world }) => {
    world.write({
      Dockerfile: `FROM busybox AS base\n${HELD('a')}\nRUN echo done > /done\nFROM scratch\nCOPY src /src\nCOPY --from=base /done /\n`,
      'src/a': '1',
    });
    await using watch = startWatch(world, OUT);
    const step = await held(world, 1);
    world.write({ 'src/a': '2' });
    await watch.line(/^changed while it was built: src\/a; 1 step of use goes on$/);
    step.go();
    await becomes(world, { done: 'done\n', 'src/a': '2' });
    expect(step.runs()).toBe(1);
  });

  test('a change that it depends on ends it', async ({ world }) => {
    world.write({ Dockerfile: `FROM busybox\nCOPY src /src\n${HELD('b')}\n`, 'src/a': '1' });
    await using watch = startWatch(world);
    await held(world, 1);
    world.write({ 'src/a': '2' });
    await watch.line(/^changed while it was built: src\/a$/);
    const step = await held(world, 2);
    step.go();
    const said = await watch.rest();
    expect(said).toMatch(/^changed: src\/a$/m);
    expect(said).toMatch(/^built in .* s: 0 steps cached, 2 ran$/m);
    expect(said).not.toContain('error');
    expect(step.runs()).toBe(2);
  });

  test('one that goes on is ended by a later change that it depends on', async ({ world }) => {
    world.write({
      Dockerfile: `FROM busybox AS base\nCOPY lib /lib\n${HELD('c')}\nFROM scratch\nCOPY src /src\nCOPY --from=base /lib /\n`,
      'src/a': '1',
      'lib/l': '1',
    });
    await using watch = startWatch(world, OUT);
    await held(world, 1);
    world.write({ 'src/a': '2' });
    await watch.line(/^changed while it was built: src\/a; 1 step of use goes on$/);
    world.write({ 'lib/l': '2' });
    const step = await held(world, 2);
    step.go();
    await becomes(world, { l: '2', 'src/a': '2' });
    expect(step.runs()).toBe(2);
  });

  test('a step that fails waits for the next change', async ({ world }) => {
    world.write({
      Dockerfile: 'FROM busybox\nCOPY src /src\nRUN cat /src/* | grep good\n',
      'src/a': '1',
      'src/b': '2',
    });
    await using watch = startWatch(world);
    expect(await watch.rest()).toContain(
      'error[step-failed]: RUN cat /src/* | grep good ended with exit code 1',
    );
    world.write({ 'src/b': 'good' });
    expect(await watch.rest()).toMatch(/^built in/m);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s leaves nothing', async (signal) => {
    const { makeWorld, removeWorld } = await import('../rig/world.ts');
    const world = makeWorld();
    world.write({ Dockerfile: `FROM busybox\n${HELD(signal)}\n` });
    await using watch = startWatch(world, ['--run', '--exec', 'sleep 1000']);
    await held(world, 1);
    watch.kill(signal);
    expect(await watch.exitCode).toBe(signal === 'SIGINT' ? 130 : 143);
    await leavesNothing(world);
    await removeWorld(world);
  });
});

/** What a watch that has ended must not leave. */
async function leavesNothing(world: World): Promise<void> {
  await eventually(() => processesWith(world.folder).length === 0);
  expect(processesWith(world.folder)).toEqual([]);
  expect(mountsBelow(world.folder)).toEqual([]);
  expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
  expect(readdirSync(join(world.store, 'builds'))).toEqual([]);
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('caisson watch, after a good build', () => {
  test('--run restarts the container, and shows its output', async ({ world }) => {
    world.write({
      Dockerfile: 'FROM busybox\nCOPY a /\nCMD ["sh", "-c", "echo $GREETING $(cat /a); sleep 1000"]\n',
      a: 'one',
    });
    await using watch = startWatch(world, ['--run=-e "GREETING=hello there"']);
    await watch.output(/^hello there one\n$/);
    world.write({ a: 'two' });
    await watch.output(/^hello there one\nhello there two\n$/);
    expect(processesWith('sleep 1000').filter((line) => line.endsWith('sleep 1000')).length).toBeGreaterThan(
      0,
    );
    watch.kill('SIGINT');
    expect(await watch.exitCode).toBe(130);
    await leavesNothing(world);
  });

  test('--run takes a command', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nCOPY a /\n', a: 'one' });
    await using watch = startWatch(world, ['--once', '--run=sh -c "cat /a; exit 3"']);
    await watch.output(/^one$/);
    world.write({ a: 'two' });
    expect(await watch.exitCode).toBe(3);
    expect(watch.written).toBe('onetwo');
  });

  test.each([
    ['plain', /^(the \w+ ended .*)$/m],
    ['rawjson', /^\{"time":"[^"]+",("kind":"exited".*)\}$/m],
    ['quiet', /^(.*)$/m],
  ] as const)('what ended by itself is told, with --progress=%s', async (kind, line) => {
    const { makeWorld, removeWorld } = await import('../rig/world.ts');
    const world = makeWorld();
    world.write({ Dockerfile: 'FROM busybox\nCOPY a /\n', a: '0' });
    const container = ['--run=sh -c "exit $(cat /a)"'];
    const command = ['--exec', 'kill -s TERM $$'];
    const told = async (what: readonly string[], code: string): Promise<string | undefined> => {
      world.write({ a: code });
      await using watch = startWatch(world, ['--progress', kind, ...what]);
      return line.exec(await watch.line(line))?.[1];
    };
    const text = (what: string, code: number): string =>
      kind === 'rawjson'
        ? `"kind":"exited","what":"${what}","exitCode":${code}`
        : `the ${what} ended with exit code ${code}`;
    expect(await told(container, '4')).toBe(text('container', 4));
    expect(await told(command, '4')).toBe(text('command', 143));
    // Nothing failed.
    if (kind !== 'quiet') expect(await told(container, '0')).toBe(text('container', 0));
    await removeWorld(world);
  });

  test('what a new image or the end of the watch ended is not told, nor what could not be run', async ({
    world,
  }) => {
    world.write({ Dockerfile: 'FROM busybox\nCOPY a /\n', a: 'one' });
    await using watch = startWatch(world, ['--run=sh -c "cat /a; sleep 1000"', '--exec', 'exec sleep 1000']);
    await watch.output(/^one$/);
    world.write({ a: 'two' });
    await watch.output(/^onetwo$/);
    watch.kill('SIGINT');
    expect(await watch.exitCode).toBe(130);
    expect(watch.said).not.toContain(' ended ');
    await using none = startWatch(world, ['--once', '--run=nothing']);
    await none.rest();
    world.write({ a: 'three' });
    expect(await none.exitCode).toBe(127);
    expect(none.said).toContain('error[no-such-command]');
    expect(none.said).not.toContain(' ended ');
  });

  test('--exec runs a command with the image, and ends all of it before the next', async ({ world }) => {
    const marker = `7${process.pid}.5`;
    world.write({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'one' });
    const command = `echo "$CAISSON_IMAGE $CAISSON_DIGEST"; sleep ${marker} & wait`;
    await using watch = startWatch(world, ['-t', 'app:dev', '--exec', command]);
    await watch.output(/^app:dev sha256:[\da-f]{64}\n$/);
    await expect.poll(() => sleeping(marker)).toHaveLength(1);
    const first = sleeping(marker);
    world.write({ a: 'two' });
    await watch.output(/^(?:app:dev sha256:[\da-f]{64}\n){2}$/);
    await expect.poll(() => sleeping(marker)).toHaveLength(1);
    expect(sleeping(marker)).not.toEqual(first);
    watch.kill('SIGINT');
    expect(await watch.exitCode).toBe(130);
    expect(sleeping(marker)).toEqual([]);
  });

  test('outputs are written again for another image only', async ({ world }) => {
    world.write({
      Dockerfile:
        'FROM busybox AS b\nCOPY a /\nRUN grep -c 1 /a > /out\nFROM scratch\nCOPY --from=b /out /\n',
      a: '1',
    });
    await using watch = startWatch(world, OUT);
    await watch.rest();
    rmSync(join(world.folder, 'out.tar'));
    world.write({ a: '11' });
    expect(await watch.rest()).toContain('built, with the same result as before, in');
    expect(existsSync(join(world.folder, 'out.tar'))).toBe(false);
    world.write({ a: '11\n1\n' });
    await becomes(world, { out: '2\n' });
  });
});

function sleeping(marker: string): string[] {
  return processesWith(`sleep ${marker}`).filter(
    (line) => line.endsWith(` sleep ${marker}`) && !line.includes('sh -c'),
  );
}
