import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import {
  build,
  check,
  openStore,
  plan,
  run,
  type BuildOptions,
} from '../../packages/builder/src/api/index.ts';
import { errorOf, test } from '../rig/api-world.ts';
import { HTPASSWD, startRegistry } from '../rig/registry.ts';
import { lacks } from '../rig/tools.ts';

const APP = { Dockerfile: 'FROM busybox\nCOPY a /a\nRUN cat /a > /b\n', a: 'a\n' };

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('from Node', () => {
  test('plan() says what a build would do', async ({ api }) => {
    const before = await plan({ ...api.common, context: APP });
    expect(before.steps).toMatchObject([
      {
        step: { id: 1, text: 'COPY a /a' },
        needs: [],
        outcome: { kind: 'will-run', reason: { kind: 'no-record' } },
      },
      { step: { id: 2 }, needs: [1], outcome: { kind: 'open', behind: [1] } },
    ]);
    const image = await api.buildImage({ context: APP });
    const after = await plan({ ...api.common, context: APP });
    expect(after.steps.map(({ outcome }) => outcome)).toStrictEqual(
      image.steps.map(({ key }) => ({ kind: 'hit', key })),
    );
  });

  test('check() says what is wrong with a Dockerfile', async ({ api }) => {
    const Dockerfile = 'FROM busybox AS a\nfrom a\nRUN true\nCMD true\n';
    const { path, source, warnings, failures, unchecked } = await check({
      ...api.common,
      context: { Dockerfile },
    });
    expect(path).toBe('Dockerfile');
    expect(source.line(1)).toBe('FROM busybox AS a');
    expect(warnings.map(({ code, range }) => [code, range.start.line])).toStrictEqual([
      ['ConsistentInstructionCasing', 2],
      ['JSONArgsRecommended', 4],
    ]);
    expect(failures).toStrictEqual([]);
    expect(unchecked).toStrictEqual([]);
    const wrong = await check({ ...api.common, context: { Dockerfile: 'FROM busybox\nCOPPY a /\n' } });
    expect(wrong.failures).toMatchObject([
      {
        code: 'unknown-instruction',
        suggestion: 'COPY',
        place: { range: { start: { line: 2, column: 1 } } },
      },
    ]);
  });

  test('run() runs a program, gives what it writes, and ends it when it is told to', async ({ api }) => {
    await api.buildImage({ context: APP, tags: 'app' });
    const work = run({
      ...api.common,
      image: 'app',
      command: ['sh', '-c', 'echo "$NAME $(cat /b)"; echo wrong >&2; pwd; exit 3'],
      env: { NAME: 'value' },
      workdir: '/bin',
    });
    const said = { stdout: '', stderr: '' };
    for await (const { stream, data } of work) said[stream] += Buffer.from(data).toString();
    expect(said).toStrictEqual({ stdout: 'value a\n/bin\n', stderr: 'wrong\n' });
    expect(await work).toStrictEqual({ exitCode: 3 });
    expect(await errorOf(run({ ...api.common, image: 'app', command: ['nothing'] }))).toMatchObject({
      code: 'no-such-command',
    });
    expect(await errorOf(run({ ...api.common, image: 'none', pull: 'never' }))).toMatchObject({
      code: 'no-such-image',
      message: 'no image is named none:latest',
    });
    const abort = new AbortController();
    const endless = run({
      ...api.common,
      image: 'app',
      command: ['sh', '-c', 'echo up; sleep 1000'],
      signal: abort.signal,
    });
    const aborting = (async () => {
      for await (const _output of endless) abort.abort();
    })();
    await expect(aborting).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('messages call options as they are called here', async ({ api }) => {
    const built = (Dockerfile: string, options: Partial<BuildOptions> = {}) =>
      errorOf(api.buildImage({ context: { Dockerfile }, ...options }));
    const secret = 'FROM busybox\nRUN --mount=type=secret,id=npm,required true\n';
    expect((await built(secret)).hint).toBe('secrets: { npm: VALUE }');
    const ssh = 'FROM busybox\nRUN --mount=type=ssh,required true\n';
    expect((await built(ssh)).hint).toBe('ssh: { default: SOCKET } or ssh: { default: [KEY] }');
    expect((await built('FROM busybox\nRUN --network=host true\n')).hint).toBe(
      "allow: ['network.host'], or network: 'host', allows it",
    );
    expect((await built('FROM nothing\n', { pull: 'never' })).message).toBe(
      "Dockerfile:1: no image nothing:latest is in the store, and pull: 'never' forbids to ask its registry",
    );
    expect((await built('FROM busybox\n', { push: true })).failures[0]?.expected).toBe(
      "tags: 'REGISTRY/NAME[:TAG]'",
    );
    const { warnings } = await api.buildImage({
      context: { Dockerfile: 'FROM busybox AS app\n' },
      noCacheFilter: ['ap'],
    });
    expect(warnings).toMatchObject([
      {
        message: 'the build has no stage "ap": noCacheFilter: [\'ap\'] has no effect',
        suggestion: 'app',
      },
    ]);
  });

  test('openStore() looks after images', async ({ api }) => {
    const { id, digest, config } = await api.buildImage({ context: APP, tags: 'app' });
    const store = await openStore(api.common.root === undefined ? {} : { root: api.common.root });
    expect(store.root).toBe(api.store);
    expect(await store.images()).toMatchObject([
      { id, digest, config, names: ['docker.io/library/app:latest'] },
    ]);
    await store.tag('app', 'other:1');
    expect((await store.images())[0]?.names).toHaveLength(2);
    expect(await errorOf(store.tag('app', 'UPPER'))).toMatchObject({ code: 'invalid-request' });
    expect(await errorOf(store.remove(id))).toMatchObject({ code: 'store' });
    expect(await store.remove('other:1')).toStrictEqual(['docker.io/library/other:1']);
    const usage = await store.usage();
    expect(usage.find(({ kind }) => kind === 'image')).toMatchObject({ count: 1 });
    expect(usage.find(({ kind }) => kind === 'step')).toMatchObject({ count: 2 });
    expect(await store.remove(id, { force: true })).toStrictEqual(['docker.io/library/app:latest']);
    expect(await store.images()).toStrictEqual([]);
    expect((await store.prune({ dryRun: true })).steps).toBe(2);
    expect((await store.prune()).steps).toBe(2);
    expect(await store.verify()).toStrictEqual({ problems: [], unknown: 0 });
    rmSync(join(api.store, 'store.json'));
    expect((await store.verify({ repair: true })).problems).toStrictEqual([]);
    // @ts-expect-error -- as of a caller without types
    expect(await errorOf(store.prune({ unusedSince: 1 }))).toMatchObject({
      message:
        'options.unusedSince is not known\nexpected: signal, unusedFor, kinds, ids, keepStorage, maxUsedSpace, minFreeSpace, dryRun',
    });
  });

  test('credentials come from a function, asked for each registry that wants some', async ({ api }) => {
    await using registry = await startRegistry(join(api.folder, 'registry'), { htpasswd: HTPASSWD });
    const { host } = registry;
    const asked: string[] = [];
    const push = (credentials: (name: string) => { username: string; password: string } | undefined) =>
      build({
        ...api.common,
        context: { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' },
        tags: `${host}/app:1`,
        push: true,
        registry: { credentials },
      });
    const image = await push((name) => {
      asked.push(name);
      return { username: 'user', password: 'secret:word' };
    });
    expect(asked).toContain(host);
    expect(image.pushed).toMatchObject([{ name: `${host}/app:1` }]);
    const refused = await errorOf(push(() => ({ username: 'user', password: 'wrong' })));
    expect(refused.code).toBe('registry');
    expect(refused.message).toContain('the credentials of user "user" from the credentials function');
    const cause = new Error('no vault');
    const broken = await errorOf(
      push(() => {
        throw cause;
      }),
    );
    expect(broken).toMatchObject({
      code: 'registry',
      message: `cannot push ${host}/app:1: the credentials for ${host} cannot be had: no vault`,
      cause,
    });
  });
});
