import { beforeEach, expect, test } from 'vitest';
import { digestOf } from '@caisson/oci';
import { pushImage } from './push.ts';
import { answer, type FakeServer } from './testing/fake-server.ts';
import { client, config, pull, reference, registry, serve, store } from './testing/pull-rig.ts';

/** What each repository of a registry has, and what is answered to who wants to read one that is locked. */
interface Repositories {
  readonly blobs: Map<string, Set<string>>;
  readonly locked: Map<string, number>;
}

/** A registry that takes blobs, and takes them over from one repository to another. */
function holding({ blobs, locked }: Repositories): Promise<FakeServer> {
  const has = (repository: string, digest: string): boolean => blobs.get(repository)?.has(digest) ?? false;
  const take = (repository: string, digest: string): void =>
    void blobs.set(repository, new Set([...(blobs.get(repository) ?? []), digest]));
  return serve(({ method, url }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://registry');
    const [, repository = '', rest = ''] = /^\/v2\/(.*?)\/(?:blobs|manifests)\/(.*)$/.exec(pathname) ?? [];
    const [digest, mount, from] = ['digest', 'mount', 'from'].map((name) => searchParams.get(name) ?? '');
    if (method === 'HEAD') answer(response, has(repository, rest) ? 200 : 404);
    else if (method === 'POST' && locked.has(from ?? '')) answer(response, locked.get(from ?? '') ?? 403);
    else if (method === 'POST' && mount !== '' && has(from ?? '', mount ?? '')) {
      take(repository, mount ?? '');
      answer(response, 201);
    } else if (method === 'POST') answer(response, 202, { location: `/v2/${repository}/blobs/uploads/1` });
    else if (method === 'PUT') {
      if (digest !== '') take(repository, digest ?? '');
      answer(response, 201);
    } else answer(response, method === 'DELETE' ? 204 : 200);
  });
}

let from: string;
beforeEach(async () => {
  from = `${(await registry()).host}/app`;
  await pull(from);
});

/** Pushes to repositories in turn. @returns for each what became of the layer and the config, and whether it was compressed */
async function push(server: FakeServer, ...repositories: readonly string[]): Promise<string[]> {
  await using session = store.session();
  await using open = client();
  const image = await store.images.find(from);
  const told: string[] = [];
  for (const repository of repositories) {
    const words: string[] = [];
    await pushImage(open, reference(`${server.host}/${repository}`), image, {
      store,
      session,
      compression: 'gzip',
      onCompress: () => void words.push('compressed'),
      onTransfer: ({ digest, arrival }) =>
        words.push(`${digest === digestOf(config) ? 'config' : 'layer'} ${arrival}`),
    });
    told.push(words.join(', '));
  }
  return told;
}

test('what another repository of the registry was sent is taken over, and not even compressed again', async () => {
  const server = await holding({ blobs: new Map(), locked: new Map() });
  expect(await push(server, 'one', 'two', 'one')).toEqual([
    'compressed, layer sent, config sent',
    'layer mounted, config mounted',
    'layer was-there, config was-there',
  ]);
});

test('where a repository no longer has it or may not be read, the next one is asked', async () => {
  const there = { blobs: new Map<string, Set<string>>(), locked: new Map<string, number>() };
  const server = await holding(there);
  await push(server, 'one', 'two');
  there.blobs.delete('two');
  expect(await push(server, 'three')).toEqual(['layer mounted, config mounted']);
  there.locked.set('three', 403);
  expect(await push(server, 'four')).toEqual(['compressed, layer sent, config sent']); // two lost it: see above
  // What was begun in vain is taken back.
  const vain = server.lines.filter((line) => line.startsWith('DELETE'));
  expect(vain.every((line) => /^DELETE \/v2\/(three|four)\//.test(line))).toBe(true);
  expect(vain.length).toBeGreaterThan(0);
});

test('where none has it, it is compressed and sent again', async () => {
  const there = { blobs: new Map<string, Set<string>>(), locked: new Map<string, number>() };
  const server = await holding(there);
  await push(server, 'one');
  there.blobs.clear();
  expect(await push(server, 'two')).toEqual(['compressed, layer sent, config sent']);
  expect(there.blobs.get('two')?.size).toBe(2);
});

test.each([429, 500, 502])(
  'where the registry answers %i when asked to take it over, it is sent',
  async (status) => {
    const there = { blobs: new Map<string, Set<string>>(), locked: new Map<string, number>() };
    const server = await holding(there);
    await push(server, 'one');
    there.locked.set('one', status);
    expect(await push(server, 'two')).toEqual(['compressed, layer sent, config sent']);
  },
);

test('another registry is not asked for what this one was sent', async () => {
  const first = await holding({ blobs: new Map(), locked: new Map() });
  const second = await holding({ blobs: new Map(), locked: new Map() });
  await push(first, 'one');
  expect(await push(second, 'two')).toEqual(['compressed, layer sent, config sent']);
  expect(second.lines.filter((line) => line.includes('mount='))).toEqual([]);
});

test('two that send the same layer to a registry at once compress and send it once', async () => {
  const server = await holding({ blobs: new Map(), locked: new Map() });
  const told = await Promise.all([push(server, 'one'), push(server, 'two')]);
  expect(told.flat().filter((line) => line.includes('compressed'))).toHaveLength(1);
  expect(told.flat().filter((line) => line.includes('layer mounted'))).toHaveLength(1);
});
