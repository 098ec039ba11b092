import { randomBytes } from 'node:crypto';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { beforeAll, describe, expect, inject } from 'vitest';
import { BASE_CONFIG, busyboxRoot } from '../rig/base-images.ts';
import { bareEnvironment, CAISSON } from '../rig/caisson.ts';
import { checkStore } from '../rig/check-store.ts';
import { processesWith } from '../rig/leftovers.ts';
import { packTar } from '../rig/pack-tar.ts';
import { pushByHand } from '../rig/push-image.ts';
import { startSlowRegistry, type SlowRegistry } from '../rig/slow-registry.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

/** Larger than what is decompressed without a thread of its own; it does not compress. */
const FILES = 24;
const MB = 1_000_000;
/** Of half of the layer. */
const SOME = 6;

function startRun(world: World, slow: SlowRegistry, command: readonly string[]) {
  const mirror = `docker.io=http://${slow.host}`;
  return execa(process.execPath, [CAISSON, 'run', '--registry-mirror', mirror, 'large', ...command], {
    env: bareEnvironment(world.store),
    extendEnv: false,
    cwd: world.context,
    reject: false,
    timeout: 60_000,
  });
}

async function unpacked(world: World): Promise<void> {
  const files = join(world.store, 'tmp/*/tree-*/large/*');
  for (let waited = 0; globSync(files).length < SOME; waited += 20) {
    if (waited > 30_000) throw new Error('nothing is unpacked while it comes');
    await sleep(20);
  }
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('running an image that is not there', () => {
  beforeAll(async () => {
    const large = Array.from({ length: FILES }, (_, number) => ({
      name: `large/${String(number).padStart(2, '0')}`,
      type: 'file' as const,
      content: randomBytes(MB),
    }));
    const layers = [Buffer.concat([(await busyboxRoot()).subarray(0, -1024), await packTar(large)])];
    await pushByHand(inject('registry'), 'library/large', { layers, config: BASE_CONFIG });
  });

  test('unpacks it while it comes, and names it when all is there', async ({ world }) => {
    await using slow = await startSlowRegistry(inject('registry'));
    const running = startRun(world, slow, ['sh', '-c', 'cat /large/* | wc -c']);
    await unpacked(world);
    expect((await world.ok(['images', '-q'])).stdout).toBe('');
    slow.goOn();
    expect(await running).toMatchObject({ exitCode: 0, stdout: String(FILES * MB), stderr: '' });
    expect((await world.ok(['images', '--format', 'json'])).stdout).toContain('"large"');
    expect(checkStore(world.store)).toStrictEqual([]);
    expect((await world.ok(['run', '--pull', 'never', 'large', 'ls', '/large'])).stdout).toMatch(/^00\n01\n/);
  });

  test('ends in the middle of it, and leaves nothing', async ({ world }) => {
    await using slow = await startSlowRegistry(inject('registry'));
    const running = startRun(world, slow, ['true']);
    await unpacked(world);
    running.kill('SIGINT');
    expect(await running).toMatchObject({ exitCode: 130, stdout: '', stderr: '' });
    expect(globSync(join(world.store, 'tmp/*'))).toStrictEqual([]);
    expect((await world.ok(['images', '-q'])).stdout).toBe('');
    expect(checkStore(world.store)).toStrictEqual([]);
    expect(processesWith(world.store)).toStrictEqual([]);
  });
});
