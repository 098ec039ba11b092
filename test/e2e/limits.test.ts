import { readdirSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { findTool, lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const RUNTIMES = ['crun', 'runc', 'namespaces'] as const;

async function output(world: World, args: readonly string[]): Promise<string[]> {
  const { stderr } = await world.ok(['build', '--no-cache', ...args, '.']);
  return [...stderr.matchAll(/^#\d+ [\d.]+ (.*)$/gm)].map(([, line = '']) => line);
}

/** Cgroups of ours that are still there. */
function cgroups(): string[] {
  return readdirSync('/sys/fs/cgroup', { recursive: true, encoding: 'utf8' }).filter((name) =>
    /(?:^|\/)caisson-[0-9a-f]+$/.test(name),
  );
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry')).each(RUNTIMES)('a step with %s', (runtime) => {
  test.skipIf(runtime !== 'namespaces' && findTool(runtime) === undefined)(
    'is limited, and finds more hosts',
    async ({ world }) => {
      world.write({
        Dockerfile: `FROM busybox
RUN tail -n 2 /etc/hosts; df -k /dev/shm | awk 'END { print $2 }'; ulimit -Sn; ulimit -Hn; ulimit -c
RUN tail -n 1 /etc/hosts; hostname
`,
      });
      const flags = ['--add-host', 'a:1.2.3.4', '--add-host', 'b=[::2]', '--shm-size', '128m'];
      const limits = ['--ulimit', 'nofile=100:200', '--ulimit', 'core=0'];
      const name = ['--build-arg', 'BUILDKIT_SANDBOX_HOSTNAME=box'];
      expect(await output(world, ['--runtime', runtime, ...flags, ...limits, ...name])).toEqual([
        '1.2.3.4\ta',
        '::2\tb',
        '131072',
        '100',
        '200',
        '0',
        '::2\tb',
        'box',
      ]);
      // A limit is no reason to run a step again, nor is where a host is; that there is one is.
      const [, , ...others] = flags;
      const moved = await world.ok(['build', '--add-host', 'a:4.3.2.1', ...others, ...name, '.']);
      expect(moved.stderr).toMatch(/2 steps cached, 0 ran\n$/);
      expect((await world.ok(['build', '.'])).stderr).toMatch(/0 steps cached, 2 ran\n$/);
    },
  );
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a step', () => {
  test('that takes more memory than it may', async ({ world }) => {
    world.write({
      Dockerfile: `FROM busybox\nRUN dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null\n`,
    });
    const before = cgroups();
    const { exitCode, stderr } = await world.run(['build', '--memory', '50m', '--cpus', '1.5', '.']);
    // Where nobody may make cgroups, a limit is an error, not passed over.
    if (stderr.includes('cannot be limited here')) {
      expect(stderr).toContain('  hint: a limit needs cgroups that this process may write to');
    } else {
      expect(stderr).toMatch(/ended with exit code 137\n/);
      expect(stderr).toContain('  hint: code 137 says that it was killed, often for want of memory\n');
    }
    expect(exitCode).toBe(1);
    expect(cgroups().filter((name) => !before.includes(name))).toEqual([]);
    await world.ok(['build', '.']);
  });

  test('that asks for rights', async ({ world }) => {
    world.write({
      Dockerfile: `FROM busybox
RUN --network=host true
RUN --security=insecure true
RUN --security=secure true
RUN --device=vendor.com/class true
`,
    });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[not-allowed]: this build does not allow its steps the host's network
        at Dockerfile:2:5
        1 | FROM busybox
      > 2 | RUN --network=host true
          |     ^^^^^^^^^^^^^^
        hint: --allow network.host, or --network host, allows it
        see docs/errors.md#not-allowed
      error[not-supported]: a step has no more rights than its sandbox: RUN --security=insecure is not possible
        at Dockerfile:3:16
        2 | RUN --network=host true
      > 3 | RUN --security=insecure true
          |                ^^^^^^^^
        expected: --security=sandbox
        see docs/errors.md#not-supported
      error[invalid-value]: "secure" is no kind of security
        at Dockerfile:4:16
        3 | RUN --security=insecure true
      > 4 | RUN --security=secure true
          |                ^^^^^^
        expected: --security=sandbox
        see docs/errors.md#invalid-value
      error[not-supported]: a step sees no devices of the host: RUN --device is not possible
        at Dockerfile:5:5
        4 | RUN --security=secure true
      > 5 | RUN --device=vendor.com/class true
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^
        see docs/errors.md#not-supported
      exit code 1
      "
    `);
    world.write({ Dockerfile: 'FROM busybox\nRUN --network=host true\nRUN --security=sandbox true\n' });
    await world.ok(['build', '--allow', 'network.host', '.']);
    await world.ok(['build', '--network', 'host', '.']);
    expect((await world.run(['build', '--network', 'default', '.'])).exitCode).toBe(1);
    expect(await failureOf(world, ['build', '--allow', 'security.insecure', '.'])).toMatchInlineSnapshot(`
      "error[usage]: --allow "security.insecure" is not known
        expected: network.host
        see caisson build --help
      exit code 2
      "
    `);
  });
});
