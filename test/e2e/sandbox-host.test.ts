import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SandboxHost } from '@caisson/runtime';
import { describe, expect } from 'vitest';
import { eventually, processesWith } from '../rig/leftovers.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

describe.skipIf(lacks('root'))('sandbox hosts', () => {
  test('that are not needed after all end with whoever started them', async ({ world }) => {
    // A step may fail before its sandbox: the host ends while it is still coming up, at any moment of that.
    for (let round = 0; round < 2; round++) {
      const folders = Array.from({ length: 8 }, (_, index) => join(world.folder, `host-${round}-${index}`));
      await Promise.all(
        folders.map(async (folder, index) => {
          mkdirSync(folder);
          await using _host = await SandboxHost.start({ folder, runtimes: ['namespaces'] });
          await new Promise((resolve) => void setTimeout(resolve, 5 + index * 3 + round));
        }),
      );
    }
    expect(processesWith(world.folder)).toEqual([]);
  });

  test('that ended while nothing ran in them say so to whoever asks next', async ({ world }) => {
    const folder = join(world.folder, 'host');
    mkdirSync(folder);
    await using host = await SandboxHost.start({ folder, runtimes: ['namespaces'] });
    const probe = (name: string): Promise<unknown> => {
      const at = join(world.folder, name);
      mkdirSync(at);
      return host.probeMaps(at);
    };
    await probe('first');
    for (const line of processesWith(folder)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
    expect(await eventually(() => !host.isAlive)).toBe(true);
    await eventually(() => processesWith(folder).length === 0);
    await expect(probe('second')).rejects.toThrow('the process that runs the sandboxes ended');
    await expect(probe('third')).rejects.toMatchObject({ code: 'host-died' });
  });

  test.skipIf(lacks('busybox', 'docker-registry', 'crun'))(
    'compile the seccomp filter for the first step, and hold all others by it',
    async ({ world }) => {
      // Without the filter, root may make a user namespace.
      const look = 'grep Seccomp: /proc/self/status; unshare -U true || echo refu""sed';
      world.write({
        Dockerfile: ['FROM busybox', `RUN ${look}; sleep 0.2`, `RUN ${look}`, `RUN ${look}; true`, ''].join(
          '\n',
        ),
      });
      const { stderr } = await world.ok(['build', '--progress', 'plain', '.']);
      expect(stderr.match(/Seccomp:\s+2$/gm)).toHaveLength(3);
      expect(stderr.match(/ refused$/gm)).toHaveLength(3);
    },
  );
});
