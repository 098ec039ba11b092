import { describe, expect } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

const RUNTIMES = (['namespaces', 'chroot', 'crun', 'runc'] as const).filter(
  (name) => (name !== 'crun' && name !== 'runc') || !lacks(name),
);

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('what is too long for a program', () => {
  test.for(RUNTIMES)('is named, with %s', async (runtime, { world }) => {
    const build = (...args: readonly string[]) =>
      failureOf(world, ['build', '--runtime', runtime, ...args, '.']);
    world.write({
      Dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=ca,env=CA true\n',
      ca: 'x'.repeat(131_072 - 3),
    });
    expect(await build('--secret', 'id=ca,src=ca')).toBe(
      `error[step-not-run]: the variable CA is too long to start a program with: 131073 bytes
  at Dockerfile:2:1
  1 | FROM busybox
> 2 | RUN --mount=type=secret,id=ca,env=CA true
    | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  hint: the kernel takes 131072 of one argument or variable; a file, as a secret has with target=, has no such limit
  see docs/errors.md#step-not-run
exit code 1
`,
    );
    world.write({ ca: 'x'.repeat(131_072 - 4) });
    await world.ok(['build', '--runtime', runtime, '--secret', 'id=ca,src=ca', '.']);
    world.write({ Dockerfile: `FROM busybox\nRUN <<EOF\n${`${':'.repeat(65_535)}\n`.repeat(2)}EOF\n` });
    expect(await build()).toBe(
      `error[step-not-run]: argument 2 of /bin/sh is too long to start a program with: 131073 bytes
  at Dockerfile:2:1
  1 | FROM busybox
> 2 | RUN <<EOF
    | ^^^^^^^^^
> 3 | ${':'.repeat(100)}...
    | ${'^'.repeat(103)}
> 4 | ${':'.repeat(100)}...
    | ${'^'.repeat(103)}
> 5 | EOF
    | ^^^
  hint: the kernel takes 131072 of one argument or variable; a script in a file has no such limit
  see docs/errors.md#step-not-run
exit code 1
`,
    );
  });
});
