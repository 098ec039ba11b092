import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { freePort, startRegistry, type Registry } from '../rig/registry.ts';
import { lacks } from '../rig/tools.ts';
import { becomes, OUT } from '../rig/watched-image.ts';
import { startWatch } from '../rig/watching.ts';
import { test } from '../rig/world.ts';

const APP = {
  Dockerfile: 'FROM busybox AS b\nCOPY a /\nRUN grep -c 1 /a > /out\nFROM scratch\nCOPY --from=b /out /\n',
  a: '1\n',
};

/** How often an image was pushed to a registry. */
function pushesOf(registry: Registry): number {
  return registry.log().match(/"PUT \/v2\/app\/manifests\/dev /g)?.length ?? 0;
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('caisson watch --push', () => {
  test('pushes another image, and none that the registry has', async ({ world }) => {
    world.write(APP);
    await using registry = await startRegistry(world.folder);
    const name = `${registry.host}/app:dev`;
    await using watch = startWatch(world, ['-t', name, '--push']);
    expect(await watch.rest()).toContain(`pushed ${name}`);
    await expect.poll(() => pushesOf(registry)).toBe(1);
    world.write({ a: '11\n' });
    expect(await watch.rest()).toContain('built, with the same result as before');
    world.write({ a: '11\n1\n' });
    expect(await watch.rest()).toContain(`pushed ${name}`);
    await expect.poll(() => pushesOf(registry)).toBe(2);
    const { stdout } = await world.ok(['pull', name], { root: `${world.store}-2` });
    expect(stdout).toBe(`${await world.build()}\n`);
  });

  test('tells a command the digest that the registry has the image by', async ({ world }) => {
    world.write(APP);
    await using registry = await startRegistry(world.folder);
    const name = `${registry.host}/app:dev`;
    const exec = 'echo digest $CAISSON_DIGEST';
    await using watch = startWatch(world, ['-t', name, '--push', '--exec', exec]);
    await watch.output(/^digest sha256:/m);
    const digest = /^digest (.*)$/m.exec(watch.written)?.[1] ?? '';
    const reply = await fetch(`http://${registry.host}/v2/app/manifests/${digest}`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    expect(reply.status).toBe(200);
    expect(watch.said).toContain(digest);
  });

  test('a registry that is down fails the build; the next change finds it', async ({ world }) => {
    world.write(APP);
    const port = await freePort();
    const name = `127.0.0.1:${port}/app:dev`;
    await using watch = startWatch(world, ['-t', name, '--push', ...OUT]);
    const refused = `error[registry]: cannot push ${name}: cannot reach 127.0.0.1:${port}: the connection was refused
  see docs/errors.md#registry
waiting for changes
`;
    expect(await watch.rest()).toContain(refused);
    await becomes(world, { out: '1\n' });
    {
      await using registry = await startRegistry(world.folder, { port });
      world.write({ a: '1\n1\n' });
      expect(await watch.rest()).toContain(`pushed ${name}`);
      await expect.poll(() => pushesOf(registry)).toBe(1);
    }
    world.write({ a: '1\n1\n1\n' });
    expect(await watch.rest()).toContain(refused);
    await becomes(world, { out: '3\n' });
    // The outputs have the image that was not pushed: what is built next is written to them, and pushed, though it was before.
    await using registry = await startRegistry(world.folder, { port });
    world.write({ a: '1\n1\n' });
    expect(await watch.rest()).toContain(`pushed ${name}`);
    await expect.poll(() => pushesOf(registry)).toBe(1);
    await becomes(world, { out: '2\n' });
  });

  test('--metadata-file is written for each image that was pushed', async ({ world }) => {
    world.write(APP);
    await using registry = await startRegistry(world.folder);
    const file = join(world.folder, 'metadata.json');
    await using watch = startWatch(world, [
      '-t',
      `${registry.host}/app:dev`,
      '--push',
      '--metadata-file',
      file,
    ]);
    const digests: unknown[] = [];
    for (const a of ['1\n', '1\n1\n']) {
      world.write({ a });
      await watch.rest();
      await expect.poll(() => existsSync(file)).toBe(true);
      digests.push(/"containerimage\.digest":\s*"([^"]+)"/.exec(readFileSync(file, 'utf8'))?.[1]);
    }
    expect(digests).toEqual([expect.stringMatching(/^sha256:/), expect.stringMatching(/^sha256:/)]);
    expect(digests[1]).not.toBe(digests[0]);
  });
});
