import type { ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { digestOf } from '@caisson/oci';
import { pushImage } from './push.ts';
import { answer, type Asked, type FakeServer } from './testing/fake-server.ts';
import { client, manifestOf, MANIFEST, pull, reference, registry, serve, store } from './testing/pull-rig.ts';

/** Large enough to be sent while it is compressed. */
const LAYER = Buffer.alloc(20 << 20, 'what a layer holds, again and again\n');
const CONFIG = Buffer.from(
  JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digestOf(LAYER)] },
  }),
);
const describe = (mediaType: string, bytes: Buffer): object => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});
const IMAGE = manifestOf({
  config: describe('application/vnd.oci.image.config.v1+json', CONFIG),
  layers: [describe('application/vnd.oci.image.layer.v1.tar', LAYER)],
});

/** Has the image in the store, as if it had been built. */
async function haveImage(): Promise<string> {
  const server = await registry((asked, response) => {
    const found = [CONFIG, LAYER].find((bytes) => asked.url.endsWith(digestOf(bytes)));
    if (asked.url.includes('/manifests/')) answer(response, 200, { 'content-type': MANIFEST }, IMAGE);
    else if (found !== undefined) answer(response, 200, {}, found);
    return asked.url.includes('/manifests/') || found !== undefined;
  });
  const name = `${server.host}/app`;
  await pull(name);
  return name;
}

/** A registry that takes everything, unless a test answers a request itself. */
function taking(special: (asked: Asked, response: ServerResponse) => boolean): Promise<FakeServer> {
  return serve((asked, response) => {
    if (special(asked, response)) return;
    if (asked.url === '/v2/') answer(response, 200);
    else if (asked.method === 'HEAD') answer(response, 404);
    else if (asked.method === 'POST') answer(response, 202, { location: '/v2/app/blobs/uploads/1' });
    else if (asked.method === 'PATCH') answer(response, 202, { location: '/v2/app/blobs/uploads/2' });
    else answer(response, asked.method === 'DELETE' ? 204 : 201);
  });
}

async function push(from: string, server: FakeServer, signal?: AbortSignal): Promise<void> {
  await using session = store.session();
  await using open = client();
  const image = await store.images.find(from);
  const options = {
    store,
    session,
    compression: 'gzip',
    ...(signal === undefined ? {} : { signal }),
  } as const;
  await pushImage(open, reference(`${server.host}/app:2`), image, options);
}

/** What was asked about the layer, each with its query and digest left out. */
const lines = (server: FakeServer): string[] =>
  server.asked
    .filter(
      ({ url, body }) => url !== '/v2/' && !url.includes('manifests') && body !== CONFIG.toString('latin1'),
    )
    .map(({ method, url }) => `${method} ${url.replace(/sha256.*/, '')}`);

test('a large layer is sent while it is compressed, without its length', async () => {
  const from = await haveImage();
  const server = await taking(() => false);
  await push(from, server);
  // A request that sends something is noted at its end.
  expect(lines(server).slice(0, 4).toSorted()).toEqual([
    'HEAD /v2/app/blobs/',
    'PATCH /v2/app/blobs/uploads/1',
    'POST /v2/app/blobs/uploads/',
    'PUT /v2/app/blobs/uploads/2?digest=',
  ]);
  const sent = Buffer.from(server.asked.find(({ method }) => method === 'PATCH')?.body ?? '', 'latin1');
  expect(gunzipSync(sent).equals(LAYER)).toBe(true);
  expect(server.asked.at(-1)?.body).toContain(digestOf(sent));
});

test.each([
  ['a registry that does not take it', (response: ServerResponse) => answer(response, 405)],
  ['a connection that breaks off', (response: ServerResponse) => void response.destroy()],
  ['an answer that leads nowhere', (response: ServerResponse) => answer(response, 202)],
])('%s gets the layer in one piece', async (_what, refuse) => {
  const from = await haveImage();
  const server = await taking((asked, response) => {
    if (asked.method === 'PATCH') refuse(response);
    return asked.method === 'PATCH';
  });
  await push(from, server);
  expect(lines(server)).toContain('PUT /v2/app/blobs/uploads/1?digest=');
  const sent = server.asked.find(({ method, url }) => method === 'PUT' && url.includes('/uploads/1'));
  expect(gunzipSync(Buffer.from(sent?.body ?? '', 'latin1')).equals(LAYER)).toBe(true);
});

test('what was sent is sent again where the registry does not want to end it', async () => {
  const from = await haveImage();
  const server = await taking((asked, response) => {
    const isEnd = asked.method === 'PUT' && asked.url.includes('/uploads/2');
    if (isEnd) answer(response, 400, {}, '{"errors":[{"code":"DIGEST_INVALID"}]}');
    return isEnd;
  });
  await push(from, server);
  expect(lines(server)).toContain('PUT /v2/app/blobs/uploads/1?digest=');
});

test('what turns out to be there is ended, and taken back where the registry says then', async () => {
  const from = await haveImage();
  const server = await taking((asked, response) => {
    const isLayer = asked.method === 'HEAD' && !asked.url.endsWith(digestOf(CONFIG));
    if (isLayer) answer(response, 200);
    return isLayer;
  });
  await push(from, server);
  // A request is noted when all of it has come: this one was not cut off.
  expect(lines(server).filter((line) => /^(PATCH|PUT|DELETE)/.test(line))).toEqual([
    'PATCH /v2/app/blobs/uploads/1',
    'DELETE /v2/app/blobs/uploads/2',
  ]);
});

test('a push that is cancelled takes back what it has sent', async () => {
  const from = await haveImage();
  const cancel = new AbortController();
  const server = await taking(({ method, url }) => {
    // Asked for when all of the layer is compressed: much of it was sent.
    if (method === 'HEAD' && !url.endsWith(digestOf(CONFIG))) cancel.abort();
    return false;
  });
  await expect(push(from, server, cancel.signal)).rejects.toMatchObject({ code: 'aborted' });
  expect(lines(server).filter((line) => line.startsWith('PUT'))).toEqual([]);
  expect(lines(server).slice(-2)).toEqual([
    'PATCH /v2/app/blobs/uploads/1',
    'DELETE /v2/app/blobs/uploads/2',
  ]);
});

test('who may not write is told so before anything is compressed', async () => {
  const from = await haveImage();
  const server = await taking((asked, response) => {
    if (asked.method === 'POST') answer(response, 403);
    return asked.method === 'POST';
  });
  let compressed = 0;
  await using session = store.session();
  await using open = client();
  const image = await store.images.find(from);
  const options = { store, session, compression: 'gzip', onCompress: () => void compressed++ } as const;
  await expect(pushImage(open, reference(`${server.host}/app`), image, options)).rejects.toMatchObject({
    code: 'denied',
  });
  expect(server.asked.map(({ method }) => method)).not.toContain('PATCH');
});
