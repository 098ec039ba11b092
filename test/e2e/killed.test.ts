import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, inject } from 'vitest';
import { BASE_CONFIG, busyboxRoot } from '../rig/base-images.ts';
import { bareEnvironment, CAISSON } from '../rig/caisson.ts';
import { checkStore } from '../rig/check-store.ts';
import { eventually, mountsBelow, processesWith } from '../rig/leftovers.ts';
import { packTar } from '../rig/pack-tar.ts';
import { pushByHand } from '../rig/push-image.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const KILLS = 200;
const LANES = 4;
const SIGNALS = ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Some of everything: layers of base images, files of the context, steps side by side, processes that stay behind. */
const APP = (marker: string): string => `FROM busybox AS one
RUN (sleep ${marker} &) ; echo one > /one
RUN dd if=/dev/zero of=/big bs=1M count=8 2>/dev/null
FROM busybox AS two
COPY files /files
RUN cat /files/* > /all && (setsid sleep ${marker} &) && sleep 0.05
FROM busybox
COPY --from=one /one /
COPY --from=two /all /
RUN echo done > /done
`;

function start(world: World, args: readonly string[]) {
  return execa(process.execPath, [CAISSON, 'build', ...args, '.'], {
    env: bareEnvironment(world.store),
    extendEnv: false,
    cwd: world.context,
    reject: false,
    stdin: 'ignore',
  });
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a build that is killed', () => {
  test(`at any of ${KILLS} moments leaves nothing behind`, { timeout: 600_000 }, async ({ world }) => {
    const marker = `98765.${process.pid}`;
    world.write({ Dockerfile: APP(marker), 'files/a': 'a\n', 'files/b': 'b\n' });
    await world.ok(['pull', 'busybox']);
    const kept = await world.build(['-t', 'kept']);
    const runtimes = ['crun', 'namespaces'];
    let round = 0;
    const lane = async (): Promise<void> => {
      while (round < KILLS) {
        round++;
        const [number, moment] = [round, Math.random() * 600];
        const build = start(world, [
          ...(number % 3 === 0 ? [] : ['--no-cache']),
          '--runtime',
          runtimes[number % 2] ?? '',
          '-t',
          `killed:${number}`,
        ]);
        await Promise.race([sleep(moment), build]);
        build.kill(SIGNALS[number % SIGNALS.length]);
        await build;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    // The kernel takes away what the last ones had, which is a matter of moments.
    await eventually(() => processesWith(marker).length + processesWith(world.folder).length === 0);
    expect([...processesWith(marker), ...processesWith(world.folder)]).toEqual([]);
    expect(mountsBelow(world.folder)).toEqual([]);
    expect(checkStore(world.store)).toEqual([]);
    // The next one sweeps, finds the images that were there, and builds.
    expect((await world.ok(['images', '-q', '--no-trunc'])).stdout).toContain(kept);
    await world.build(['-t', 'after', '--no-cache']);
    expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
    expect(readdirSync(join(world.store, 'builds'))).toEqual([]);
    await world.ok(['prune']);
    expect(checkStore(world.store)).toEqual([]);
    expect((await world.ok(['run', 'kept', 'cat', '/one', '/all', '/done'])).stdout).toBe(
      'one\na\nb\ndone\n',
    );
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('by %s ends in order, with exit code %i', async (signal, code) => {
    const { makeWorld, removeWorld } = await import('../rig/world.ts');
    const world = makeWorld();
    world.write({ Dockerfile: 'FROM busybox\nRUN echo running && sleep 1000\n' });
    const build = start(world, []);
    await new Promise<void>((resolve) => {
      build.stderr.on('data', (chunk: Buffer) => {
        if (/^#1 [\d.]+ running$/m.test(chunk.toString())) resolve();
      });
    });
    build.kill(signal);
    const { exitCode, stderr } = await build;
    expect(exitCode).toBe(code);
    expect(stderr).toMatch(/\nerror\[cancelled\]: the build was cancelled$/);
    expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
    await eventually(() => processesWith(world.folder).length === 0);
    expect(processesWith(world.folder)).toEqual([]);
    await removeWorld(world);
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('several at once on one store', () => {
  test('builds and prunes lose nothing', { timeout: 300_000 }, async ({ world }) => {
    world.write({ 'files/a': 'a\n', 'files/b': 'b\n' });
    await world.ok(['pull', 'busybox']);
    for (const number of [1, 2, 3, 4])
      world.write({ [`Dockerfile${number}`]: `${APP('0')}RUN echo ${number} > /number\n` });
    const over = new AbortController();
    const prunes = (async (): Promise<number> => {
      let count = 0;
      while (!over.signal.aborted) {
        await world.ok(['prune']);
        count++;
      }
      return count;
    })();
    const lane = async (number: number): Promise<void> => {
      for (let round = 0; round < 5; round++) {
        const cold = round % 2 === 0 ? ['--no-cache'] : [];
        // Two of them make room for themselves, whatever the others hold.
        const limit = number % 2 === 0 ? ['--cache-max-size', '6m'] : [];
        await world.build([...cold, ...limit, '-t', `app:${number}`, '-f', `Dockerfile${number}`]);
      }
    };
    await Promise.all([1, 2, 3, 4].map(lane));
    over.abort();
    expect(await prunes).toBeGreaterThan(3);
    for (const number of [1, 2, 3, 4]) {
      const ran = await world.ok(['run', `app:${number}`, 'cat', '/number', '/one', '/all']);
      expect(ran.stdout).toBe(`${number}\none\na\nb\n`);
    }
    expect(checkStore(world.store)).toEqual([]);
  });

  test('two cold builds of one thing both end well', async ({ world }) => {
    world.write({ Dockerfile: APP('0'), 'files/a': 'a\n' });
    const ids = await Promise.all([
      world.build(['-t', 'a']),
      world.build(['-t', 'b']),
      world.build(['-t', 'c']),
    ]);
    expect(ids).toHaveLength(3);
    expect(checkStore(world.store)).toEqual([]);
    expect((await world.ok(['run', 'c', 'cat', '/done'])).stdout).toBe('done\n');
  });
});

/** With a store on a disk of 24 MB. */
async function onSmallDisk(world: World, work: (store: string) => Promise<void>): Promise<void> {
  const disk = join(world.folder, 'small');
  await execa('mkdir', [disk]);
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'small', disk]);
  try {
    await work(join(disk, 'store'));
    expect(readdirSync(join(disk, 'store/tmp'))).toEqual([]);
    expect(checkStore(join(disk, 'store'))).toEqual([]);
  } finally {
    await execa('umount', [disk]);
  }
}

const MB = 1 << 20;

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a disk that is full', () => {
  test('is one clear failure; what was there stays', async ({ world }) => {
    await onSmallDisk(world, async (root) => {
      const options = { root, env: { HOME: join(world.folder, 'home') } };
      world.write({ Dockerfile: 'FROM busybox\nRUN echo 1 > /one\n' });
      const first = await world.build(['-t', 'app'], options);
      world.write({ Dockerfile: 'FROM busybox\nCOPY big /\n', big: Buffer.alloc(32 * MB, 'x') });
      const copied = await world.run(['build', '-t', 'app', '.'], options);
      expect(copied.exitCode).toBe(1);
      expect(copied.stderr).toMatch(/error\[no-space\]: [^\n]*no space left on the disk/);
      world.write({ Dockerfile: 'FROM busybox\nRUN dd if=/dev/zero of=/big bs=1M count=40\n' });
      const ran = await world.run(['build', '-t', 'app', '.'], options);
      expect(ran.exitCode).toBe(1);
      expect((await world.ok(['images', '-q', '--no-trunc'], options)).stdout).toBe(`${first}\n`);
    });
  });

  test('is what doctor says, and nothing of privileges', async ({ world }) => {
    await onSmallDisk(world, async (root) => {
      await world.ok(['images'], { root });
      expect(() => writeFileSync(join(root, '../filler'), Buffer.alloc(30 * MB))).toThrow('ENOSPC');
      const { exitCode, stdout } = await world.run(['doctor'], { root });
      expect(exitCode).toBe(1);
      expect(stdout.slice(stdout.indexOf('problem')).replace(root, 'STORE')).toMatchInlineSnapshot(`
        "problem  store: STORE: no space left on the disk
                 caisson prune gives back what no named image needs
        problem  isolation: not tried: nothing can be built without space
        "
      `);
    });
  });

  test.for([
    { what: 'while a base is unpacked', size: 32, command: 'true' },
    { what: 'while a root is copied', size: 12, command: 'true', env: { CAISSON_RUNTIME: 'chroot' } },
    { what: 'while a layer is made', size: 1, command: 'yes | head -c 14000000 > /big' },
  ])('is told in the same words $what', async ({ size, command, env }, { world }) => {
    const large = { name: 'large', type: 'file', content: Buffer.alloc(size * MB, 'x') } as const;
    const layers = [Buffer.concat([(await busyboxRoot()).subarray(0, -1024), await packTar([large])])];
    await pushByHand(inject('registry'), 'library/full', { layers, config: BASE_CONFIG });
    await onSmallDisk(world, async (root) => {
      world.write({ Dockerfile: `FROM full\nRUN ${command}\n` });
      const ofHome = { HOME: join(world.folder, 'home') };
      const full = await world.run(['build', '.'], { root, env: { ...ofHome, ...env } });
      expect(full.exitCode).toBe(1);
      expect(full.stderr).toMatch(
        /error\[no-space\]: cannot write to the store: no space left on the disk(?: \(.*\))?$/m,
      );
      expect(full.stderr).toContain('hint: caisson prune frees what no image needs; caisson du shows');
    });
  });
});
