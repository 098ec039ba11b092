import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { bareEnvironment, CAISSON } from '../rig/caisson.ts';
import { checkStore } from '../rig/check-store.ts';
import { eventually, processesWith } from '../rig/leftovers.ts';
import { TerminalRun } from '../rig/tmux.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'tmux'))(
  'a build that nobody looks at any more',
  () => {
    test('ends when its pipe is closed, and leaves nothing', { timeout: 120_000 }, async ({ world }) => {
      const marker = `98764.${process.pid}`;
      world.write({
        Dockerfile: `FROM busybox\nRUN (sleep ${marker} &); while true; do echo more; sleep 0.05; done\n`,
      });
      const line = `(${process.execPath} ${CAISSON} build . 2>&1; echo $? >code) | head -n 1`;
      await execa('sh', ['-c', line], {
        env: bareEnvironment(world.store),
        extendEnv: false,
        cwd: world.context,
      });
      expect(readFileSync(join(world.context, 'code'), 'utf8')).toBe('141\n');
      await eventually(() => processesWith(marker).length === 0);
      expect(processesWith(marker)).toEqual([]);
      expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
      expect(checkStore(world.store)).toEqual([]);
    });

    test('ends with its terminal, and leaves nothing', { timeout: 120_000 }, async ({ world }) => {
      const marker = `98763.${process.pid}`;
      world.write({
        Dockerfile: `FROM busybox\nRUN (sleep ${marker} &); while true; do echo more; sleep 0.05; done\n`,
      });
      await using run = await TerminalRun.start(world, ['build', '.'], { columns: 80, rows: 24 });
      await run.shows('│ more');
      await run[Symbol.asyncDispose]();
      await eventually(() => processesWith(marker).length + processesWith(world.folder).length === 0);
      expect([...processesWith(marker), ...processesWith(world.folder)]).toEqual([]);
      expect((await world.ok(['builds'])).stdout).toMatch(/ cancelled {3}/);
      expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
      expect(checkStore(world.store)).toEqual([]);
    });
  },
);

test('a standard output that takes nothing more is told in a line', async ({ world }) => {
  const line = `${process.execPath} ${CAISSON} version > /dev/full`;
  const { exitCode, stderr } = await execa('sh', ['-c', line], {
    env: bareEnvironment(world.store),
    extendEnv: false,
    reject: false,
  });
  expect(stderr).toBe('error[output]: the output cannot be written: ENOSPC: no space left on device, write');
  expect(exitCode).toBe(1);
});
