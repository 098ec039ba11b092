import { describe, expect } from 'vitest';
import { armProgram } from '../rig/arm-program.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

const TEXT = 'hello from another machine\n';

describe.skipIf(lacks('root', 'crun', 'runc', 'an emulator of arm64'))('programs for arm64', () => {
  test.for(['crun', 'runc', 'namespaces', 'chroot'])('are run by %s', async (runtime, { world }) => {
    world.write({
      Dockerfile: 'FROM scratch\nCOPY --chmod=755 program /\nRUN ["/program"]\nCMD ["/program"]\n',
      program: armProgram(TEXT),
    });
    const how = ['--runtime', runtime];
    const built = await world.ok(['build', ...how, '--platform', 'linux/arm64', '-t', 'app', '.']);
    expect(built.stderr).toMatch(/^#2 \d+\.\d+ hello from another machine$/m);
    expect(built.stderr).toContain(`isolation: ${runtime}, `);
    if (runtime !== 'chroot') expect((await world.ok(['run', ...how, 'app'])).stdout).toBe(TEXT);
  });
});
