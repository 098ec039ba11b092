import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { MEDIA_TYPES, parseManifest } from '@caisson/oci';
import { startRegistry, type Registry } from '../rig/registry.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const APP = {
  Dockerfile: `FROM busybox AS build
COPY src /src
RUN cat /src/* > /all
RUN --mount=type=bind,source=src,target=/mnt ls /mnt > /names
FROM busybox
COPY --from=build /all /names /
RUN wc -l < /all > /count
CMD ["cat", "/count"]
`,
  'src/a.txt': 'a\n',
  'src/b.txt': 'b\n',
};

/** How many steps the cache had and how many ran, and the image id. */
interface Built {
  readonly steps: string;
  readonly id: string;
  readonly stderr: string;
}

async function build(world: World, machine: string, ...args: readonly string[]): Promise<Built> {
  const { stderr } = await world.ok(['build', ...args, '.'], { root: `${world.store}-${machine}` });
  const [, cached = '', ran = ''] = /(\d+) steps? cached, (\d+) ran\n$/.exec(stderr) ?? [];
  return { steps: `${cached}/${ran}`, id: /^image (sha256:[0-9a-f]{64})/m.exec(stderr)?.[1] ?? '', stderr };
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a cache in a registry', () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry(join(import.meta.dirname, '../../.caisson/test/registries'));
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  /** The requests since a point of the log: methods and paths, digests shortened. */
  const requestsSince = (from: number): string[] =>
    [
      ...registry
        .log()
        .slice(from)
        .matchAll(/"(GET|HEAD|PUT|POST|PATCH) (\/v2\/[^" ]*) HTTP/g),
    ].map(([, method = '', path = '']) => `${method} ${path}`);

  test('lets a fresh machine build without running a step, and without fetching a layer', async ({
    world,
  }) => {
    world.write(APP);
    const image = `${registry.host}/team/app`;
    const cache = `type=registry,ref=${registry.host}/team/cache:main`;
    const first = await build(world, 'one', '-t', image, '--push', '--cache-to', `${cache},mode=max`);
    expect(first.steps).toBe('0/5');
    expect(first.stderr).toContain(`wrote the cache ${registry.host}/team/cache:main: 6 records\n`);

    const from = registry.log().length;
    const second = await build(world, 'two', '-t', image, '--push', '--cache-from', cache);
    expect(second).toMatchObject({ steps: '5/0', id: first.id });
    const requests = requestsSince(from);
    const layers = await layersOf(registry, 'team/app', 'latest');
    const fetched = requests.filter(
      (line) => line.startsWith('GET') && layers.some((digest) => line.endsWith(digest)),
    );
    expect(fetched).toStrictEqual([]);
    expect(requests.filter((line) => line.startsWith('GET /v2/team/cache/'))).toHaveLength(2); // manifest, records
    expect(requests.filter((line) => line.startsWith('POST'))).toStrictEqual([]);
    // Not all of it is there, so it has no name.
    expect((await world.ok(['images', '-q'], { root: `${world.store}-two` })).stdout).toBe('');

    // A name of another repository: layers are mounted, and still none is fetched.
    const before = registry.log().length;
    const other = await build(
      world,
      'three',
      '-t',
      `${registry.host}/other/app`,
      '--push',
      '--cache-from',
      cache,
    );
    expect(other.steps).toBe('5/0');
    expect(other.stderr).toMatch(/^mounted /m);
    const bodies = requestsSince(before).filter(
      (line) => line.startsWith('GET') && layers.slice(1).some((digest) => line.endsWith(digest)),
    );
    expect(bodies).toStrictEqual([]);
    await world.ok(['pull', '-q', `${registry.host}/other/app`], { root: `${world.store}-four` });
    const run = await world.ok(['run', `${registry.host}/other/app`], { root: `${world.store}-four` });
    expect(run.stdout).toBe('2\n');
  });

  test('and images pushed to the same registry share what is sent: each layer is sent once', async ({
    world,
  }) => {
    world.write(APP);
    const names = ['once/app', 'once/other'].flatMap((name) => ['-t', `${registry.host}/${name}`]);
    const cache = `type=registry,ref=${registry.host}/once/cache,mode=max`;
    const from = registry.log().length;
    await build(world, 'one', ...names, '--push', '--cache-to', cache);
    const sent = requestsSince(from).flatMap((line) => /^PUT .*digest=(sha256%3A\w+)/.exec(line)?.[1] ?? []);
    expect(new Set(sent).size).toBe(sent.length);
    for (const repository of ['once/app', 'once/other']) {
      const root = `${world.store}-${repository.replace('/', '-')}`;
      await world.ok(['pull', '-q', `${registry.host}/${repository}`], { root });
      expect((await world.ok(['run', `${registry.host}/${repository}`], { root })).stdout).toBe('2\n');
    }
    // A machine of its own builds from the cache, whose layers were taken over.
    const second = await build(
      world,
      'two',
      '-t',
      'app',
      '--load',
      '--cache-from',
      cache.replace(',mode=max', ''),
    );
    expect(second.steps).toBe('5/0');
    expect((await world.ok(['run', 'app'], { root: `${world.store}-two` })).stdout).toBe('2\n');
  });

  test('is what a step came from that runs when the cache is not named any more', async ({ world }) => {
    world.write(APP);
    const cache = `type=registry,ref=${registry.host}/team/before:main`;
    await build(world, 'one', '--cache-to', `${cache},mode=max`);
    expect((await build(world, 'two', '-t', 'app', '--cache-from', cache)).steps).toBe('5/0');
    const without = await build(world, 'two', '-t', 'app');
    expect(without.stderr).toContain('#1 why: it came from a shared cache before, and was not fetched\n');
    expect(without.stderr).not.toContain('no earlier record');
    const root = `${world.store}-two`;
    expect((await world.ok(['explain'], { root })).stdout).toContain(
      '  why: it came from a shared cache before, and was not fetched\n',
    );
    expect((await build(world, 'two', '-t', 'app')).steps).toBe('5/0');
  });

  test('fetches the layers that something runs on, and says why it runs', async ({ world }) => {
    world.write(APP);
    const cache = `type=registry,ref=${registry.host}/team/fetched:main`;
    await build(world, 'one', '--cache-to', `${cache},mode=max`);
    world.write({ Dockerfile: APP.Dockerfile.replace('wc -l', 'wc -c'), 'src/c.txt': '' });
    const second = await build(world, 'two', '-t', 'app', '--cache-from', cache);
    expect(second.steps).toBe('0/5');
    expect(second.stderr).toContain('#1 why: src/c.txt: new\n');
    expect(second.stderr).toContain('#5 why: command\n');
    expect((await world.ok(['run', 'app'], { root: `${world.store}-two` })).stdout).toBe('4\n');
    world.write({ Dockerfile: APP.Dockerfile.replace('wc -l', 'wc -c') });
    rmSync(join(world.context, 'src/c.txt'));
    const third = await build(world, 'three', '-t', 'app', '--cache-from', cache);
    expect(third.steps).toBe('4/1');
    expect((await world.ok(['run', 'app'], { root: `${world.store}-three` })).stdout).toBe('4\n');
  });

  test('is asked when the store lacks something, and not before: one that is not there goes unnoticed till then', async ({
    world,
  }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN echo one > /one\n' });
    const from = ['--cache-from', `type=registry,ref=${registry.host}/nowhere/cache`];
    const title = `the cache ${registry.host}/nowhere/cache:latest`;
    const first = await build(world, 'lazy', ...from);
    expect(first.stderr.split('\n').filter((line) => line.startsWith('warning'))).toEqual([
      `warning: ${title} is not there yet`,
    ]);
    const before = registry.log().length;
    const second = await build(world, 'lazy', ...from);
    expect([second.steps, second.stderr.includes('warning')]).toEqual(['1/0', false]);
    expect(requestsSince(before)).toEqual([]);
  });

  test('does not take a layer of a base for its own, though it has the same files', async ({ world }) => {
    const start = 'FROM busybox\nCOPY src /src\n';
    world.write({ ...APP, Dockerfile: start });
    const base = `${registry.host}/same/base`;
    const cache = `type=registry,ref=${registry.host}/same/cache:main`;
    await build(world, 'one', '-t', base, '--push', '--cache-to', cache);
    world.write({ Dockerfile: `${start}FROM ${base}\nCOPY --from=0 /src/a.txt /a\n` });
    const second = await build(world, 'two', '-t', 'app', '--load', '--cache-from', cache);
    expect(second.steps).toBe('1/1');
    expect((await world.ok(['run', 'app', 'cat', '/a'], { root: `${world.store}-two` })).stdout).toBe('a\n');
  });

  test('is not written by a build that fails, which does not wait for it', async ({ world }) => {
    // It takes requests, and answers none that brings something.
    const server = createServer((request, response) => {
      if (request.method === 'HEAD') response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    world.write({ ...APP, Dockerfile: 'FROM busybox\nCOPY src /src\nRUN exit 3\n' });
    const to = `type=registry,ref=127.0.0.1:${port}/a/cache,mode=max`;
    const startedAt = performance.now();
    const failed = await world.run(['build', '--cache-to', to, '.']);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toMatch(/RUN exit 3 ended with exit code 3\n[^]*#step-failed\n$/);
    expect(performance.now() - startedAt).toBeLessThan(20_000); // an answer is waited for for a minute
    server.closeAllConnections();
    server.close();
  });

  test('gives way to running a step where a blob is gone that a push needs', async ({ world }) => {
    world.write(APP);
    const cache = `${registry.host}/gone/cache:main`;
    await build(world, 'one', '--cache-to', `type=registry,ref=${cache},mode=max`);
    for (const digest of (await layersOf(registry, 'gone/cache', 'main')).slice(0, -1)) {
      const url = `http://${registry.host}/v2/gone/cache/blobs/${digest}`;
      expect((await fetch(url, { method: 'DELETE' })).status).toBe(202);
    }
    const name = `${registry.host}/gone/app`;
    const { stderr } = await build(world, 'two', '-t', name, '--push', '--cache-from', cache);
    expect(stderr).toMatch(/^warning: a layer of the cache .* cannot be used: /m);
    expect(stderr).toMatch(/^pushed /m);
    await world.ok(['pull', '-q', name], { root: `${world.store}-three` });
    expect((await world.ok(['run', name], { root: `${world.store}-three` })).stdout).toBe('2\n');
  });

  test('is done without where it does not answer', async ({ world }) => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    world.write(APP);
    const startedAt = performance.now();
    const { steps, stderr } = await build(world, 'one', '--cache-from', `127.0.0.1:${port}/a/cache`);
    expect(steps).toBe('0/5');
    expect(stderr).toMatch(/^warning: the cache 127\.0\.0\.1:\d+\/a\/cache:latest cannot be used: /m);
    expect(performance.now() - startedAt).toBeLessThan(50_000); // an image is waited for for five minutes
    server.closeAllConnections();
    server.close();
  });

  test('is a warning where it is not there, or out of reach', async ({ world }) => {
    world.write(APP);
    const missing = `${registry.host}/no/cache:main`;
    const first = await build(world, 'one', '--cache-from', missing);
    expect(first.steps).toBe('0/5');
    expect(first.stderr).toContain(`warning: the cache ${missing} is not there yet\n`);
    const away = await build(
      world,
      'two',
      '--cache-from',
      '127.0.0.1:1/a:b',
      '--cache-to',
      'type=registry,ref=127.0.0.1:1/a:b',
    );
    expect(away.steps).toBe('0/5');
    expect(away.stderr).toMatch(/^warning: the cache 127\.0\.0\.1:1\/a:b cannot be used: .*refused/m);
    expect(away.stderr).toMatch(/^warning: the cache 127\.0\.0\.1:1\/a:b cannot be written: .*refused/m);
    // Without the cache it is not asked for.
    const without = await build(world, 'two', '--no-cache', '--cache-from', '127.0.0.1:1/a:b');
    expect(without.stderr).not.toContain('127.0.0.1:1');
    // An image is no cache.
    await world.ok(['build', '-t', `${registry.host}/an/image`, '--push', '.'], {
      root: `${world.store}-two`,
    });
    const image = await build(world, 'three', '--cache-from', `${registry.host}/an/image`);
    expect(image.steps).toBe('0/5');
    expect(image.stderr).toMatch(/^warning: the cache .* is something else: its config has the media type/m);
  });
});

const to = (more = ''): readonly string[] => ['--cache-to', `type=local,dest=cache${more}`];
const FROM = ['--cache-from', 'type=local,src=cache'] as const;

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a cache in a folder', () => {
  test('has the layers of the image, or with mode=max of all stages', async ({ world }) => {
    world.write({ ...APP, '.dockerignore': 'cache\n' });
    const first = await build(world, 'one', ...to());
    expect(await build(world, 'two', ...FROM)).toMatchObject({ steps: '5/0', id: first.id });
    // What needs files of another stage runs its steps.
    world.write({
      Dockerfile: APP.Dockerfile.replace('COPY --from=build /all', 'COPY --from=build /src/a.txt /all'),
    });
    const changed = await build(world, 'changed', '-t', 'app', ...FROM);
    expect(changed.stderr).not.toContain('warning');
    expect((await world.ok(['run', 'app'], { root: `${world.store}-changed` })).stdout).toBe('2\n');
    const other = await build(world, 'other', '--target', 'build', '-t', 'build', ...FROM);
    expect(other.steps).toBe('0/3');
    world.write({ Dockerfile: APP.Dockerfile });
    await build(world, 'one', ...to(',mode=max'));
    expect(await build(world, 'three', ...FROM)).toMatchObject({ steps: '5/0', id: first.id });
    for (const compression of ['none', 'gzip', 'zstd']) {
      await build(world, 'one', ...to(`,mode=max,compression=${compression}`));
      expect(await build(world, compression, ...FROM)).toMatchObject({ steps: '5/0', id: first.id });
    }
  });

  test('does not grow, and keeps what another tag names', async ({ world }) => {
    world.write(APP);
    await build(world, 'one', ...to(',mode=max'));
    const size = blobs(world).length;
    await build(world, 'one', ...to(',mode=max,tag=other'));
    for (const text of ['1', '2', '3']) {
      world.write({ 'src/a.txt': text });
      await build(world, 'one', ...to(',mode=max'));
    }
    expect(blobs(world).length).toBeLessThan(2 * size + 2);
    world.write({ 'src/a.txt': APP['src/a.txt'] });
    const [flag, value] = FROM;
    expect((await build(world, 'two', flag, `${value},tag=other`)).steps).toBe('5/0');
  });

  test('gives way to running a step where a blob is damaged, cut or gone', async ({ world }) => {
    world.write({ Dockerfile: APP.Dockerfile, 'src/a.txt': 'a\n'.repeat(5000), 'src/b.txt': 'b\n' });
    const first = await build(world, 'one', '-t', 'app', ...to(',mode=max'));
    const harm: Readonly<Record<string, (path: string) => void>> = {
      damaged: (path) => {
        const bytes = readFileSync(path);
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
        writeFileSync(path, bytes);
      },
      cut: (path) => truncateSync(path, statSync(path).size >> 1),
      gone: (path) => rmSync(path),
    };
    for (const [name, spoil] of Object.entries(harm)) {
      await build(world, 'one', ...to(',mode=max'));
      for (const path of blobs(world).filter((each) => isLayer(each))) spoil(path);
      const again = await build(world, name, '-t', 'app', ...FROM);
      expect(again.stderr).toContain('warning: a layer of the cache ');
      expect(again.stderr).toContain(' why: its layer in the shared cache cannot be had\n');
      expect((await world.ok(['run', 'app'], { root: `${world.store}-${name}` })).stdout).toBe('5001\n');
      for (const type of ['tar', 'local']) {
        const out = await build(world, `${name}-${type}`, '-o', `type=${type},dest=out-${type}`, ...FROM);
        expect(out.stderr).toContain('warning: a layer of the cache ');
      }
      rmSync(join(world.context, 'cache'), { recursive: true });
    }
    expect(first.steps).toBe('0/5');
  });

  test('is a warning where it is something else, and where it cannot be written', async ({ world }) => {
    world.write(APP);
    mkdirSync(join(world.context, 'cache'));
    for (const [text, why] of [
      ['{', 'its index.json cannot be read: '],
      ['{"schemaVersion":2,"manifests":[]}', 'is not there yet'],
    ] as const) {
      writeFileSync(join(world.context, 'cache/index.json'), text);
      const { stderr, steps } = await build(world, why.slice(0, 5).trim(), ...FROM);
      expect(stderr).toContain(why);
      expect(steps).toBe('0/5');
    }
    writeFileSync(join(world.context, 'file'), '');
    const unwritable = await build(world, 'file', '--cache-to', 'type=local,dest=file/cache');
    expect(unwritable.stderr).toMatch(
      /^warning: the cache .*\/file\/cache cannot be written: there is a file in the way, where a folder should be$/m,
    );
  });

  test('of two builds that write at the same time has all that both name', async ({ world }) => {
    world.write({ ...APP, 'src/c.txt': 'c\n', Slow: 'FROM busybox\nCOPY src/c.txt /\nRUN sleep 4\n' });
    const slow = build(world, 'one', '-f', 'Slow', ...to(',mode=max,tag=slow'));
    while (!existsSync(join(world.context, 'cache/blobs/sha256')) || blobs(world).length === 0)
      await sleep(50);
    await build(world, 'two', ...to(',mode=max'));
    await slow;
    const [flag, value] = FROM;
    const again = await build(world, 'three', '-f', 'Slow', '--load', flag, `${value},tag=slow`);
    expect(again.stderr).not.toContain('warning');
    expect(again.steps).toBe('2/0');
  });

  test('does not take the place of an image that lies in the folder', async ({ world }) => {
    world.write(APP);
    await build(world, 'one', '-t', 'app:latest', '-o', 'type=oci,dest=cache/');
    const index = readFileSync(join(world.context, 'cache/index.json'), 'utf8');
    const files = blobs(world);
    const { stderr } = await build(world, 'one', ...to());
    expect(stderr).toMatch(
      /^warning: the cache .* cannot be written: it is an image layout of something else$/m,
    );
    expect(readFileSync(join(world.context, 'cache/index.json'), 'utf8')).toBe(index);
    expect(blobs(world)).toStrictEqual(expect.arrayContaining(files));
  });

  test('is refused where the flag makes no sense', async ({ world }) => {
    const wrong = async (...args: readonly string[]): Promise<string> => {
      const { exitCode, stderr } = await world.run(['build', ...args, '.']);
      expect(exitCode).toBe(2);
      return stderr;
    };
    expect(await wrong('--cache-to', 'type=locl')).toBe(
      'error[usage]: --cache-to type "locl" is not known\n  expected: registry, local\n  did you mean local?\n  see caisson build --help\n',
    );
    expect(await wrong('--cache-from', 'type=local,scr=x')).toBe(
      'error[usage]: --cache-from "type=local,scr=x": "scr" is not known\n  expected: type, src, tag, digest\n  did you mean src?\n  see caisson build --help\n',
    );
    expect(await wrong('--cache-to', 'type=local')).toBe(
      'error[usage]: --cache-to "type=local" does not say where\n  expected: type=local,dest=FOLDER\n  see caisson build --help\n',
    );
    expect(await wrong('--cache-to', 'type=registry,ref=a,mode=all')).toBe(
      'error[usage]: --cache-to mode "all" is not known\n  expected: min, max\n  see caisson build --help\n',
    );
  });
});

/** The files of the blobs in the folder. */
function blobs(world: World): string[] {
  const folder = join(world.context, 'cache/blobs/sha256');
  return readdirSync(folder).map((name) => join(folder, name));
}

/** Whether a blob is a layer: compressed, and not the texts beside the records. */
function isLayer(path: string): boolean {
  const bytes = readFileSync(path);
  return bytes.readUInt32LE(0) === 0xfd2fb528 && !bytes.includes('sha256:');
}

/** The digests of an image's layers. */
async function layersOf({ host }: Registry, name: string, tag: string): Promise<string[]> {
  const response = await fetch(`http://${host}/v2/${name}/manifests/${tag}`, {
    headers: { accept: MEDIA_TYPES.ociManifest },
  });
  const manifest = parseManifest(Buffer.from(await response.arrayBuffer()));
  if (!manifest.ok) throw new Error(manifest.error);
  return manifest.value.layers.map(({ digest }) => digest);
}
