import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject } from 'vitest';
import { BASE_CONFIG, busyboxRoot } from '../rig/base-images.ts';
import { checkStore } from '../rig/check-store.ts';
import { packTar } from '../rig/pack-tar.ts';
import { pushByHand } from '../rig/push-image.ts';
import { startSlowRegistry } from '../rig/slow-registry.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

/* Pipes that others close are no sign that nobody reads what a command writes: that ends with 141. */

/** Has a program of that name do something else. */
function instead(world: World, name: string, script: string): Record<string, string> {
  const bin = join(world.folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
  return { PATH: `${bin}:${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('what others close', () => {
  test.for([
    // Half of the layer comes: what is damaged is not waited for.
    [
      'half',
      'head -c 1000 >/dev/null; exit 1',
      'the compressed bytes are damaged: igzip cannot decompress them',
    ],
    [
      'all',
      'head -c 1000 >/dev/null; exit 1',
      'the compressed bytes are damaged: igzip cannot decompress them',
    ],
    ['all', 'head -c 1000 >/dev/null; kill -9 $$', 'igzip, which decompresses it, was ended by SIGKILL'],
  ] as const)(
    'a program that decompresses and ends too early, of %s a layer: %s',
    async ([part, script, why], { world }) => {
      const large = await packTar([{ name: 'large', type: 'file', content: randomBytes(20_000_000) }]);
      const layers = [Buffer.concat([(await busyboxRoot()).subarray(0, -1024), large])];
      await pushByHand(inject('registry'), 'closed', { layers, config: BASE_CONFIG });
      await using slow = await startSlowRegistry(inject('registry'));
      if (part === 'all') slow.goOn();
      world.write({ Dockerfile: `FROM ${slow.host}/closed\nRUN true\n` });
      const { exitCode, stderr } = await world.run(['build', '.'], { env: instead(world, 'igzip', script) });
      expect(stderr).toMatch(/^error\[bad-image\]: the layer sha256:[0-9a-f]{64} cannot be used: /m);
      expect(stderr).toContain(`cannot be used: ${why}\n`);
      expect(exitCode).toBe(1);
      expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
      expect(checkStore(world.store)).toEqual([]);
      slow.goOn();
      await world.build(); // with what is installed
    },
  );
});
