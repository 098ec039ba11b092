import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@caisson/store';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject } from 'vitest';
import { BASE_CONFIG, busyboxRoot } from '../rig/base-images.ts';
import { packTar } from '../rig/pack-tar.ts';
import { pushByHand, pushIndexByHand, sha256 } from '../rig/push-image.ts';
import { HTPASSWD, startRegistry, type Registry } from '../rig/registry.ts';
import { startTokenServer, type TokenServer } from '../rig/token-server.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

function logIn(world: World, host: string, auth: string): void {
  const folder = join(world.folder, 'home', '.docker');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ auths: { [host]: { auth: Buffer.from(auth).toString('base64') } } }),
  );
}

const APP = 'FROM busybox\nRUN echo hello > /hello\nCMD ["cat", "/hello"]\n';

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a registry', () => {
  test('takes an image, keeps what it has, and gives it back', async ({ world }) => {
    const host = inject('registry');
    world.write({ Dockerfile: APP });
    const id = await world.build(['-t', `${host}/team/app:1`]);
    const first = await world.ok(['push', `${host}/team/app:1`]);
    expect(first.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(first.stderr.match(/^sent /gm)).toHaveLength(3); // a base layer from docker.io, ours, the config
    const second = await world.ok(['push', `${host}/team/app:1`]);
    expect(second.stdout).toBe(first.stdout);
    expect(second.stderr.match(/^it has /gm)).toHaveLength(3);
    // Somebody else's store gets the same image.
    const other = { root: `${world.store}-2` };
    expect((await world.ok(['pull', `${host}/team/app:1`], other)).stdout).toBe(`${id}\n`);
    expect((await world.ok(['run', `${host}/team/app:1`], other)).stdout).toBe('hello\n');
    // And to another repository of the registry, layers are mounted.
    await world.ok(['tag', id, `${host}/other/app`]);
    expect((await world.ok(['push', `${host}/other/app`])).stderr).toMatch(/^mounted /m);
  });

  test.skipIf(lacks('skopeo'))(
    'gets large layers while they are compressed in parts, which readers take as one',
    async ({ world }) => {
      await using registry = await startRegistry(world.folder);
      const { host } = registry;
      const size = 20_000_000; // three parts
      world.write({ Dockerfile: 'FROM busybox\nCOPY large /\n', large: 'many words '.repeat(size / 11) });
      const id = await world.build(['-t', 'large']);
      for (const compression of ['gzip', 'zstd', 'uncompressed']) {
        const name = `${host}/large:${compression}`;
        await world.ok(['tag', 'large', name]);
        await world.ok(['push', '--compression', compression, name]);
        const other = { root: `${world.store}-${compression}` };
        expect((await world.ok(['pull', name], other)).stdout).toBe(`${id}\n`);
        const { stdout } = await world.ok(['run', name, 'sha256sum', '/large'], other);
        expect(stdout).toBe((await world.ok(['run', 'large', 'sha256sum', '/large'])).stdout);
        // What it decompresses is what the config says of the layers.
        const folder = join(world.folder, compression);
        const from = ['--src-tls-verify=false', `docker://${name}`];
        await execa('skopeo', ['copy', '--dest-decompress', ...from, `dir:${folder}`]);
        const config = readFileSync(join(folder, id.replace('sha256:', '')), 'utf8');
        for (const [, diffId = ''] of config.matchAll(/"sha256:([0-9a-f]{64})"/g))
          expect(sha256(readFileSync(join(folder, diffId)))).toBe(`sha256:${diffId}`);
      }
      const answered = registry.log().match(/"PATCH \/v2\/large\/blobs\/uploads\/[^"]*" \d+/g) ?? [];
      expect(answered.map((line) => line.replace(/.*" /, ''))).toEqual(['202', '202']); // gzip and zstd
    },
  );

  test('gets what is built with --push, under each of its names', async ({ world }) => {
    const host = inject('registry');
    world.write({ Dockerfile: APP });
    const names = ['-t', `${host}/pushed:1`, '-t', `${host}/pushed:2`];
    const flags = ['--push', '--load', '--label', 'a=b', '--label', 'empty', '--iidfile', 'id'];
    const { stderr } = await world.ok(['build', ...names, ...flags, '.']);
    expect(stderr.match(new RegExp(`^pushed ${host}/pushed:[12]@sha256:[0-9a-f]{64}$`, 'gm'))).toHaveLength(
      2,
    );
    const other = { root: `${world.store}-2` };
    const id = readFileSync(join(world.context, 'id'), 'utf8');
    expect((await world.ok(['pull', '-q', `${host}/pushed:2`], other)).stdout).toBe(`${id}\n`);
    expect((await world.ok(['inspect', id], other)).stdout).toContain(
      '"Labels": {\n        "a": "b",\n        "empty": ""',
    );
    expect((await world.run(['build', '--push', '.'])).stderr).toBe(
      'error[usage]: --push needs a name to push to\n  expected: -t REGISTRY/NAME[:TAG]\n  see caisson build --help\n',
    );
  });

  test('gives the image for this platform out of an index', async ({ world }) => {
    const host = inject('registry');
    const image = (text: string, platform: { os: string; architecture: string }) =>
      packTar([{ name: 'which', type: 'file', content: text }]).then((layer) =>
        pushByHand(host, `multi:${platform.architecture}`, { layers: [layer], platform }),
      );
    const own = process.arch === 'x64' ? 'amd64' : process.arch;
    const platforms = [
      { os: 'linux', architecture: 's390x' },
      { os: 'linux', architecture: own },
    ];
    const entries = [];
    for (const platform of platforms)
      entries.push({ ...(await image(platform.architecture, platform)), platform });
    const digest = await pushIndexByHand(host, 'multi:latest', entries);
    world.write({ Dockerfile: `FROM ${host}/multi\n` });
    await world.ok(['build', '-o', 'out', '.']);
    expect(readFileSync(join(world.context, 'out/which'), 'utf8')).toBe(own);
    // By digest, too; the tag beside it does not count.
    world.write({ Dockerfile: `FROM ${host}/multi:nonsense@${digest}\n` });
    await world.ok(['build', '-o', 'out2', '.']);
    expect(readFileSync(join(world.context, 'out2/which'), 'utf8')).toBe(own);
    await pushIndexByHand(host, 'multi:none', entries.slice(0, 1));
    const none = await world.run(['pull', `${host}/multi:none`]);
    expect(none.stderr.replaceAll(host, 'HOST')).toBe(
      `error[no-platform]: HOST/multi:none is not there for linux/${own}\n  hint: it is for linux/s390x\n`,
    );
  });

  test('is asked again for a tag of a base that moved, with --pull', async ({ world }) => {
    const host = inject('registry');
    const push = async (text: string): Promise<void> => {
      const layer = await packTar([{ name: 'version', type: 'file', content: text }]);
      await pushByHand(host, 'moving:latest', { layers: [await busyboxRoot(), layer], config: BASE_CONFIG });
    };
    await push('1');
    world.write({ Dockerfile: `FROM ${host}/moving\nRUN cat /version > /seen\nCMD ["cat", "/seen"]\n` });
    const first = await world.build();
    await push('2');
    expect(await world.build()).toBe(first); // asked less than a minute ago
    const pulled = await world.ok(['build', '--pull', '-t', 'app', '.']);
    expect(pulled.stderr).toMatch(/0 steps cached, 1 ran\n$/);
    expect((await world.ok(['run', 'app'])).stdout).toBe('2');
  });

  test('that went away means the base as it was fetched, with a warning', async ({ world }) => {
    const registry = await startRegistry(join(world.folder, 'registries'));
    await pushByHand(registry.host, 'base:latest', { layers: [await busyboxRoot()], config: BASE_CONFIG });
    world.write({ Dockerfile: `FROM ${registry.host}/base\nRUN true\n` });
    const first = await world.build();
    await registry[Symbol.asyncDispose]();
    expect(await world.build()).toBe(first);
    const { stderr, exitCode } = await world.run(['build', '--pull', '.']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`error[registry]: cannot reach ${registry.host}: the connection was refused\n`);
    await makeOld(world);
    const late = await world.ok(['build', '.']);
    expect(late.stderr).toContain(
      `warning: cannot reach ${registry.host}: the connection was refused; ${registry.host}/base:latest is used as it was fetched before\n`,
    );
  });

  test('mirrors are asked first, and passed over when they fail', async ({ world }) => {
    const host = inject('registry');
    const mirrors = [
      '--registry-mirror',
      'docker.io=http://127.0.0.1:9',
      '--registry-mirror',
      `docker.io=http://${host}`,
    ];
    world.write({ Dockerfile: 'FROM busybox\n' });
    const { stderr } = await world.ok(['build', ...mirrors, '.']);
    expect(stderr).toContain(
      'warning: a mirror of docker.io: cannot reach 127.0.0.1:9: the connection was refused\n',
    );
  });

  test('a blocked one is not asked', async ({ world }) => {
    writeFileSync(
      join(world.folder, 'home/.config/containers/registries.conf'),
      '[[registry]]\nprefix = "docker.io/library"\nblocked = true\n',
    );
    const { stderr, exitCode } = await world.run(['pull', 'busybox']);
    expect(exitCode).toBe(1);
    expect(stderr.replaceAll(world.folder, '')).toBe(
      'error[blocked]: the registry of docker.io/library/busybox is blocked\n  hint: /home/.config/containers/registries.conf says so, for docker.io/library\n',
    );
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a registry with passwords', () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry(join(import.meta.dirname, '../../.caisson/test/registries'), {
      htpasswd: HTPASSWD,
    });
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  test('is asked with those of docker login', async ({ world }) => {
    const name = `${registry.host}/app`;
    world.write({ Dockerfile: APP });
    await world.build(['-t', name]);
    const denied = await world.run(['push', name]);
    expect(denied.exitCode).toBe(1);
    expect(denied.stderr.replaceAll(registry.host, 'HOST').replaceAll(world.folder, '')).toBe(
      'error[unauthorized]: the registry HOST asks for credentials to write to app, and none were found for it\n' +
        '  hint: log in, for example with "docker login HOST"; looked in /home/.docker/config.json\n',
    );
    logIn(world, registry.host, 'user:wrong');
    const wrong = await world.run(['push', name]);
    expect(wrong.stderr.replaceAll(registry.host, 'HOST').replaceAll(world.folder, '')).toBe(
      'error[unauthorized]: the registry HOST refused the credentials of user "user" from /home/.docker/config.json\n' +
        '  hint: log in, for example with "docker login HOST" again\n',
    );
    logIn(world, registry.host, 'user:secret:word');
    await world.ok(['push', name]);
    await world.ok(['pull', name], { root: `${world.store}-2` });
  });

  test('is asked with those of a credential helper', async ({ world }) => {
    const name = `${registry.host}/helped`;
    const bin = join(world.folder, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'docker-credential-test'),
      `#!/bin/sh\nhost=$(cat); [ "$1" = get ] && [ "$host" = "${registry.host}" ] || { echo "credentials not found in native keychain"; exit 1; }\necho '{"ServerURL":"'$host'","Username":"user","Secret":"secret:word"}'\n`,
    );
    chmodSync(join(bin, 'docker-credential-test'), 0o755);
    const folder = join(world.folder, 'home', '.docker');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ credHelpers: { [registry.host]: 'test' }, credsStore: 'missing' }),
    );
    world.write({ Dockerfile: APP });
    const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    await world.build(['-t', name], { env });
    await world.ok(['push', name], { env });
    const without = await world.run(['push', name]);
    expect(without.stderr).toBe(
      'error[credentials]: the credential helper docker-credential-test is not installed\n  hint: the configuration of docker names it (credHelpers, credsStore)\n',
    );
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'openssl'))('a registry with tokens', () => {
  let tokens: TokenServer;
  let registry: Registry;
  beforeAll(async () => {
    const parent = join(import.meta.dirname, '../../.caisson/test/registries');
    tokens = await startTokenServer(parent, { user: 'user', password: 'secret:word' });
    registry = await startRegistry(parent, { token: tokens });
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await tokens[Symbol.asyncDispose]();
  });

  test('is asked with tokens of its server, for what is to be done', async ({ world }) => {
    const name = `${registry.host}/team/app`;
    world.write({ Dockerfile: APP });
    await world.build(['-t', name]);
    const anonymous = await world.run(['push', name]);
    expect(anonymous.exitCode).toBe(1);
    expect(anonymous.stderr).toMatch(/^error\[(?:unauthorized|denied)\]: /);
    logIn(world, registry.host, 'user:secret:word');
    await world.ok(['push', name]);
    expect(tokens.asked().at(-1)).toMatchObject({ service: 'test-registry', user: 'user' });
    expect(tokens.asked().map(({ scope }) => scope)).toContain('repository:team/app:pull,push');
    await world.ok(['pull', name], { root: `${world.store}-2` });
  });
});

/** Lets the remembered bases look as if they had been asked for long ago. */
async function makeOld(world: World): Promise<void> {
  using store = await openStore(world.store);
  await using session = store.session();
  for (const base of (await store.bases.list()).values())
    await store.bases.put(session, { ...base, checkedAt: 1 });
}
