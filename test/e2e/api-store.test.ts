import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject } from 'vitest';
import { openStore, type PullEvent, type PushEvent } from '../../packages/builder/src/api/index.ts';
import { errorOf, test } from '../rig/api-world.ts';
import { checkStore } from '../rig/check-store.ts';
import { HTPASSWD, startRegistry } from '../rig/registry.ts';
import { startSlowRegistry } from '../rig/slow-registry.ts';
import { lacks } from '../rig/tools.ts';

async function eventsOf<Event>(work: AsyncIterable<Event>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of work) events.push(event);
  return events;
}

type Fetch = Extract<PullEvent, { kind: 'fetch' }>;
type Arrival = Extract<PushEvent, { kind: 'transfer' }>;

const isFetch = (event: { readonly kind: string }): event is Fetch => event.kind === 'fetch';
const isArrival = (event: { readonly kind: string }): event is Arrival => event.kind === 'transfer';

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a store from Node', () => {
  test('fetches an image, and tells how far it is', async ({ api }) => {
    const store = await openStore({ root: api.store });
    const { registry } = api.common;
    const first = store.pull('busybox', { registry });
    const events = await eventsOf(first);
    const image = await first;
    expect(image).toMatchObject({
      names: ['docker.io/library/busybox:latest'],
      id: image.manifest.config.digest,
    });
    expect(await store.image('busybox')).toStrictEqual((await store.images())[0]);
    expect(await store.image(image.id.slice(7, 20))).toMatchObject({ id: image.id });
    const [layer] = image.manifest.layers;
    const fetched = events.filter(isFetch);
    expect(fetched.at(0)).toMatchObject({ image: 'busybox:latest', digest: layer?.digest, received: 0 });
    expect(fetched.at(-1)).toMatchObject({ received: layer?.size, size: layer?.size });
    expect(fetched.some(({ wasThere }) => wasThere === true)).toBe(false);
    const again = store.pull('busybox', { registry });
    expect((await eventsOf(again)).findLast(isFetch)).toMatchObject({ wasThere: true });
    expect(await again).toStrictEqual(image);
    const other = await eventsOf(store.pull('busybox', { registry, platform: 'linux/s390x' }));
    const { os, architecture } = image.config;
    expect(other.at(-1)).toStrictEqual({
      kind: 'warning',
      message: `busybox:latest is for ${os}/${architecture}, not for linux/s390x: there is no other image of that name`,
    });
  });

  test('says what is wrong with what it is asked for, before anything is done', async ({ api }) => {
    const store = await openStore({ root: api.store });
    const { registry } = api.common;
    const wrong = [
      () => store.pull(''),
      () => store.pull('busybox', { platform: 'linux/amd65', registry }),
      () => store.pull('UPPER/name', { registry }),
      // @ts-expect-error -- as of a caller without types
      () => store.pull('busybox', { platfrom: 'linux/amd64' }),
      // @ts-expect-error -- as of a caller without types
      () => store.push('busybox', { compression: 'zip' }),
      // @ts-expect-error -- as of a caller without types
      () => store.push('busybox', { registry: { credentials: 'user:secret' } }),
      () => store.builds({ limit: 0 }),
      () => store.prune({ kinds: ['step'], maxUsedSpace: -1 }),
      // @ts-expect-error -- as of a caller without types
      () => store.prune({ kinds: ['steps'] }),
    ];
    const messages: string[] = [];
    for (const work of wrong) {
      const { code, message } = await errorOf(work());
      expect(code).toBe('invalid-request');
      messages.push(message);
    }
    expect(messages).toMatchInlineSnapshot(`
      [
        "name is empty
      expected: the name of an image, for example registry.example.com/app:1.2",
        "options.platform is "linux/amd65"
      expected: os/architecture[/variant], for example linux/arm64
      did you mean linux/amd64?",
        ""UPPER/name": the repository name must be in lower case: "upper/name"
      expected: NAME[:TAG][@DIGEST]",
        "options.platfrom is not known
      expected: signal, platform, registry
      did you mean platform?",
        "options.compression is "zip"
      expected: "gzip", "zstd", "none"
      did you mean gzip?",
        "options.registry.credentials is a text
      expected: a function of the host of a registry",
        "options.limit is 0
      expected: a whole number from 1",
        "options.maxUsedSpace is -1
      expected: a number of bytes",
        "options.kinds[0] is "steps"
      expected: "step", "base image", "unnamed image", "tree", "cache mount", "file", "logs", "unreadable"
      did you mean step?",
      ]
    `);
    expect(await errorOf(store.push('nothing'))).toMatchObject({
      code: 'no-such-image',
      message: 'no image is named nothing:latest',
    });
    expect(await errorOf(store.image('nothing'))).toMatchObject({ code: 'no-such-image' });
  });

  test('sends an image to a registry that wants credentials, in the compression that it is told', async ({
    api,
  }) => {
    await using registry = await startRegistry(join(api.folder, 'registry'), { htpasswd: HTPASSWD });
    const name = `${registry.host}/team/app:1`;
    const { id } = await api.buildImage({
      context: { Dockerfile: 'FROM busybox\nCOPY a /a\n', a: 'a\n' },
      tags: name,
    });
    const store = await openStore({ root: api.store });
    const credentials = (host: string) =>
      host === registry.host ? { username: 'user', password: 'secret:word' } : undefined;
    const work = store.push(name, { compression: 'zstd', registry: { credentials } });
    const events = await eventsOf(work);
    const pushed = await work;
    expect(pushed).toStrictEqual({ name, digest: pushed.manifest.digest, manifest: pushed.manifest });
    expect(events.filter(isArrival).map(({ arrival }) => arrival)).toStrictEqual(['sent', 'sent', 'sent']);
    const again = await eventsOf(store.push(name, { compression: 'zstd', registry: { credentials } }));
    expect(new Set(again.filter(isArrival).map(({ arrival }) => arrival))).toStrictEqual(
      new Set(['was-there']),
    );
    const cause = new Error('no vault');
    const refused = store.push(name, {
      registry: {
        credentials: () => {
          throw cause;
        },
      },
    });
    expect(await errorOf(refused)).toMatchObject({
      code: 'registry',
      message: `the credentials for ${registry.host} cannot be had: no vault`,
      cause,
    });
    const elsewhere = await openStore({ root: `${api.store}-2` });
    const pulled = await elsewhere.pull(name, { registry: { credentials } });
    expect(pulled).toMatchObject({ id, tagDigest: pushed.digest, digest: pushed.digest });
    expect(pulled.manifest.layers.map(({ mediaType }) => mediaType).at(-1)).toMatch(/zstd$/);
  });

  test('gives up what it fetches when it is told to, and keeps nothing of it', async ({ api }) => {
    await using slow = await startSlowRegistry(inject('registry'));
    const store = await openStore({ root: api.store });
    const abort = new AbortController();
    const work = store.pull('busybox', {
      signal: abort.signal,
      registry: { mirrors: { 'docker.io': [`http://${slow.host}`] } },
    });
    const reason = new Error('enough');
    const taking = (async () => {
      for await (const event of work) if (event.kind === 'fetch' && event.received > 0) abort.abort(reason);
    })();
    await expect(taking).rejects.toMatchObject({
      code: 'cancelled',
      message: 'the pull was cancelled',
      cause: reason,
    });
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
    expect(await store.images()).toStrictEqual([]);
    expect(checkStore(api.store)).toStrictEqual([]);
  });

  test('tells what builds did, what it holds, and lets go of what is named', async ({ api }) => {
    const context = {
      Dockerfile: 'FROM busybox\nCOPY a /a\nRUN --mount=type=cache,target=/c echo said\n',
      a: '1',
    };
    await api.buildImage({ context, tags: 'app' });
    await api.buildImage({ context: { ...context, a: '2' }, tags: 'app' });
    const store = await openStore({ root: api.store });
    const builds = await store.builds();
    expect(builds).toMatchObject([
      {
        state: 'built',
        names: ['docker.io/library/app:latest'],
        steps: [
          { text: 'COPY a /a', outcome: 'ran', reason: { kind: 'changed', changes: [{ kind: 'files' }] } },
          { outcome: 'ran' },
        ],
      },
      { steps: [{ outcome: 'ran', reason: { kind: 'no-record' } }, { outcome: 'ran' }] },
    ]);
    const log = builds[0]?.steps[1]?.log;
    expect(readFileSync(log ?? '', 'utf8')).toBe('said\n');
    expect(builds[0]?.steps[0]).not.toHaveProperty('log');
    expect(await store.builds({ limit: 1 })).toStrictEqual(builds.slice(0, 1));
    const kinds = async () => new Set((await store.entries()).map(({ kind }) => kind));
    expect(await kinds()).toStrictEqual(
      new Set(['image', 'unnamed image', 'base image', 'step', 'cache mount', 'logs']),
    );
    expect(await store.prune({ kinds: ['cache mount', 'logs'] })).toMatchObject({
      cacheMounts: 1,
      logs: 2,
      steps: 0,
    });
    expect(await kinds()).toStrictEqual(new Set(['image', 'unnamed image', 'base image', 'step']));
    const step = (await store.entries()).find(({ kind }) => kind === 'step');
    expect(await store.prune({ ids: [`sha256:${step?.id.slice(0, 12) ?? ''}`] })).toMatchObject({ steps: 1 });
    expect(await store.prune({ maxUsedSpace: 1e12 })).toMatchObject({ steps: 0, images: [] });
    expect(await store.prune({ minFreeSpace: 9e15 })).toMatchObject({ images: [expect.any(String)] });
    expect(checkStore(api.store)).toStrictEqual([]);
  });
});
