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
 * A busy machine lets any thread wait, and so does a collection of garbage: how long the longest delay was says little. So
 * the test asks which part of the time the caller's thread was at work and not to be had for anything else. Where the
 * builder runs in it, that is most of the time; to pass on what happens is next to nothing.
 */
const MOST_BUSY = 0.3;

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))(`a build of ${FILES} files`, () => {
  test('leaves its caller free', { timeout: 900_000 }, async ({ api }) => {
    for (let index = 0; index < FILES; index++) {
      const path = join(api.context, nameOf(index));
      if (index < 200) mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, `file ${index}\n`);
    }
    const dockerfileText = 'FROM scratch\nCOPY . /\n';
    const first = await busyPart(api, { context: '.', dockerfileText });
    expect(first).toBeLessThan(MOST_BUSY);
    const again = await busyPart(api, { context: '.', dockerfileText, noCache: true });
    expect(again).toBeLessThan(MOST_BUSY);
  });

  test('leaves its caller free when the files are in memory', { timeout: 900_000 }, async ({ api }) => {
    const files = Array.from({ length: FILES }, (_, index) => [nameOf(index), `file ${index}\n`] as const);
    const context = { Dockerfile: 'FROM scratch\nCOPY . /\n', ...Object.fromEntries(files) };
    expect(await busyPart(api, { context })).toBeLessThan(MOST_BUSY);
  });
});

/** The part of the time of a build for which the caller's thread was at work. */
async function busyPart(api: ApiWorld, options: BuildOptions): Promise<number> {
  const before = performance.eventLoopUtilization();
  await api.buildImage(options);
  return performance.eventLoopUtilization(before).utilization;
}
