import { chmodSync, copyFileSync, cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const DEMO = fileURLToPath(new URL('../../fixtures/builds/demo', import.meta.url));

function copyDemo(world: World): void {
  cpSync(DEMO, world.context, { recursive: true });
  const binary = createRequire(import.meta.url).resolve(`@esbuild/linux-${process.arch}/bin/esbuild`);
  copyFileSync(binary, join(world.context, 'esbuild'));
  chmodSync(join(world.context, 'esbuild'), 0o755);
}

/** The id of the image that a build told of. */
function idOf(stderr: string): string | undefined {
  return /^image (\S+)/m.exec(stderr)?.[1];
}

describe.skipIf(lacks('root'))('the demo', () => {
  test('is built, found whole in the cache, and runs', async ({ world }) => {
    copyDemo(world);
    const first = await world.ok(['build', '--runtime', 'namespaces', '-t', 'demo', '.']);
    expect(first.stderr).toContain('isolation: namespaces, network: host\n');
    expect(first.stderr).toMatch(/0 steps cached, 6 ran\n$/);
    const second = await world.ok(['build', '--runtime', 'namespaces', '-t', 'demo', '.']);
    expect(second.stderr).toMatch(/6 steps cached, 0 ran\n$/);
    expect(idOf(second.stderr)).toBe(idOf(first.stderr));
    const ran = await world.ok(['run', '--runtime', 'namespaces', 'demo']);
    expect(ran.stdout).toMatch(/^0\.\d+\.\d+\n$/);
  });
});
