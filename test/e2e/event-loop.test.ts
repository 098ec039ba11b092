import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { BuildOptions } from '../../packages/builder/src/api/index.ts';
import { test, type ApiWorld } from '../rig/api-world.ts';
import { lacks } from '../rig/tools.ts';

/** How many files the context has; 100,000 take minutes on a small machine. */
const FILES = Number(process.env['EVENT_LOOP_FILES'] ?? '20000');

const nameOf = (index: number): string => `folder-${index % 200}/file-${index}`;

/*
 * A busy machine lets any thread wait: how long the longest delay was says little. So the test asks which part of the time
 * the caller's thread was at work and not to be had for anything else, and for how long at most it computed without giving
 * way, in time of the processor. Where the builder runs in it, the one is most of the time and the other a second; to pass
 * on what happens is next to nothing.
 */
const MOST_BUSY = 0.3;
const LONGEST_TURN_MS = 50;

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))(`a build of ${FILES} files`, () => {
  test('leaves its caller free', { timeout: 900_000 }, async ({ api }) => {
    for (let index = 0; index < FILES; index++) {
      const path = join(api.context, nameOf(index));
      if (index < 200) mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, `file ${index}\n`);
    }
    const dockerfileText = 'FROM scratch\nCOPY . /\n';
    await expectFree(api, { context: '.', dockerfileText });
    await expectFree(api, { context: '.', dockerfileText, noCache: true });
  });

  test('leaves its caller free when the files are in memory', { timeout: 900_000 }, async ({ api }) => {
    const files = Array.from({ length: FILES }, (_, index) => [nameOf(index), `file ${index}\n`] as const);
    const context = { Dockerfile: 'FROM scratch\nCOPY . /\n', ...Object.fromEntries(files) };
    await expectFree(api, { context });
  });
});

async function expectFree(api: ApiWorld, options: BuildOptions): Promise<void> {
  let last = computed();
  let longest = 0;
  const note = (): void => {
    const now = computed();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(note, 5);
  const before = performance.eventLoopUtilization();
  await api.buildImage(options);
  note();
  clearInterval(timer);
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(MOST_BUSY);
  expect(longest).toBeLessThan(LONGEST_TURN_MS);
}

/** For how long this thread has computed, in milliseconds. */
function computed(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
