import { describe, expect, test } from 'vitest';
import { digestOf, formatReference } from '@caisson/oci';
import { answer } from './testing/fake-server.ts';
import {
  MANIFEST,
  INDEX,
  PLATFORM,
  layer,
  config,
  describeLayer,
  manifestOf,
  manifest,
  store,
  registry,
  serve,
  reference,
  pull,
  failure,
} from './testing/pull-rig.ts';

describe('a pull', () => {
  test('gets an image, once', async () => {
    const server = await registry();
    expect(await pull(`${server.host}/app`)).toBe(digestOf(config));
    expect((await store.images.find(`${server.host}/app`)).names).toEqual([
      formatReference(reference(`${server.host}/app`)),
    ]);
    await pull(`${server.host}/app`);
    expect(server.lines.filter((line) => line.includes(digestOf(layer)))).toHaveLength(1);
  });

  test('goes on where a transfer broke off', async () => {
    let times = 0;
    const server = await registry((asked, response) => {
      if (!asked.url.endsWith(digestOf(layer))) return false;
      times++;
      const from = Number(/bytes=(\d+)-/.exec(asked.range ?? '')?.[1] ?? 0);
      const range = `bytes ${from}-${layer.length - 1}/${layer.length}`;
      response.writeHead(from === 0 ? 200 : 206, {
        'content-length': String(layer.length - from),
        ...(from === 0 ? {} : { 'content-range': range }),
      });
      response.write(layer.subarray(from, from + 10), () => setTimeout(() => response.destroy(), 20));
      return true;
    });
    await pull(`${server.host}/app`);
    expect(times).toBe(4);
    expect(server.asked.map(({ range }) => range).filter((range) => range !== undefined)).toEqual([
      'bytes=10-',
      'bytes=20-',
      'bytes=30-',
    ]);
  });

  test('does not ask for more where a transfer broke off after its last byte', async () => {
    const server = await registry((asked, response) => {
      if (!asked.url.endsWith(digestOf(layer))) return false;
      response.writeHead(200, { 'content-length': String(layer.length + 1) });
      response.write(layer, () => setTimeout(() => response.destroy(), 20));
      return true;
    });
    await pull(`${server.host}/app`);
    expect(server.lines.filter((line) => line.includes(digestOf(layer)))).toHaveLength(1);
  });

  test('starts again where the registry knows no ranges', async () => {
    let times = 0;
    const server = await registry((asked, response) => {
      if (!asked.url.endsWith(digestOf(layer))) return false;
      times++;
      if (times > 1) return false;
      response.writeHead(200, { 'content-length': String(layer.length) });
      response.write(layer.subarray(0, 7), () => setTimeout(() => response.destroy(), 20));
      return true;
    });
    await pull(`${server.host}/app`);
    expect(times).toBe(2);
  });

  test('tells of a mirror that does not have it where the registry itself is not to be reached', async () => {
    const mirror = await serve((_asked, response) => answer(response, 404));
    const mirrors = new Map([['127.0.0.1:1', [`http://${mirror.host}`]]]);
    const { code, message } = await failure('127.0.0.1:1/app', { mirrors });
    expect(code).toBe('unreachable');
    expect(message).toBe(
      `the registry ${mirror.host} has no 127.0.0.1:1/app:latest, and cannot reach 127.0.0.1:1: the connection was refused`,
    );
  });

  test('tries again after 429 and 503, and says so when that does not help', async () => {
    let times = 0;
    const server = await registry((asked, response) => {
      times++;
      if (asked.url.includes('/manifests/') && times < 4) {
        answer(response, times % 2 === 0 ? 429 : 503, { 'retry-after': '0' });
        return true;
      }
      return false;
    });
    await pull(`${server.host}/app`);
    const limited = await registry((asked, response) => {
      if (asked.url.includes('/manifests/')) answer(response, 429, { 'retry-after': '7200' });
      return asked.url.includes('/manifests/');
    });
    const error = await failure(`${limited.host}/app`);
    expect(error.code).toBe('rate-limited');
    expect(error.message).toBe(
      `the registry ${limited.host} takes no more requests for now: the limit resets in 2 h 0 min`,
    );
  });
});

describe('what a registry sends is checked', () => {
  const wrong = Buffer.from(layer.toString().replace('bytes', 'BYTES'));
  test.each([
    ['a layer of other bytes', 'digest-mismatch', digestOf(layer), wrong],
    ['a layer that is too long', 'size-mismatch', digestOf(layer), Buffer.concat([layer, layer])],
    ['a layer that is too short', 'size-mismatch', digestOf(layer), layer.subarray(1)],
    [
      'a config of other bytes',
      'digest-mismatch',
      digestOf(config),
      Buffer.from(config.toString().replace('linux', 'LINUX')),
    ],
  ] as const)('%s', async (_what, code, at, body) => {
    const server = await registry((asked, response) => {
      if (asked.url.endsWith(at)) answer(response, 200, {}, body);
      return asked.url.endsWith(at);
    });
    expect((await failure(`${server.host}/app`)).code).toBe(code);
    expect(await store.images.list()).toEqual([]);
  });

  const documents: readonly (readonly [string, string, Readonly<Record<string, string>>, Buffer])[] = [
    [
      'another digest than announced',
      'digest-mismatch',
      { 'docker-content-digest': digestOf('x') },
      manifest,
    ],
    [
      'a digest that leads elsewhere',
      'invalid-response',
      { 'docker-content-digest': 'sha256:../../x' },
      manifest,
    ],
    ['a document that is both', 'not-an-image', {}, manifestOf({ manifests: [] })],
    ['another type than announced', 'not-an-image', {}, manifestOf({ mediaType: INDEX })],
    [
      'an artifact',
      'not-an-image',
      {},
      manifestOf({ config: { ...describeLayer, mediaType: 'application/x' } }),
    ],
    ['no layer', 'not-an-image', {}, manifestOf({ layers: [] })],
    ['an endless document', 'too-large', {}, Buffer.alloc(5 << 20, ' ')],
    ['web pages', 'not-an-image', { 'content-type': 'text/html' }, Buffer.from('<html>')],
    ['something encoded', 'invalid-response', { 'content-encoding': 'gzip' }, manifest],
  ];
  test.each(documents)('%s', async (_what, code, headers, body) => {
    const server = await registry((asked, response) => {
      if (asked.url.includes('/manifests/'))
        answer(response, 200, { 'content-type': MANIFEST, ...headers }, body);
      return asked.url.includes('/manifests/');
    });
    expect((await failure(`${server.host}/app`)).code).toBe(code);
  });

  test('an index that leads to itself', async () => {
    const server = await registry((asked, response) => {
      if (!asked.url.includes('/manifests/')) return false;
      const entry = { mediaType: INDEX, digest: digestOf('x'), size: 1, platform: PLATFORM };
      const index = JSON.stringify({ schemaVersion: 2, manifests: [entry] });
      answer(response, 200, { 'content-type': INDEX }, index);
      return true;
    });
    expect((await failure(`${server.host}/app`)).code).toBe('digest-mismatch');
  });

  test('a digest counts, a tag beside it does not', async () => {
    const server = await registry();
    const error = await failure(`${server.host}/app:latest@${digestOf('other')}`);
    expect(error.code).toBe('digest-mismatch');
    expect(server.lines[0]).toBe(`GET /v2/app/manifests/${digestOf('other')}`);
  });

  test('messages of a registry are shown without what a terminal would obey', async () => {
    const server = await registry((asked, response) => {
      const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'no\u001b[2J\u0007\nway \u202e' }] });
      if (asked.url.includes('/manifests/')) answer(response, 403, {}, body);
      return asked.url.includes('/manifests/');
    });
    const { message } = await failure(`${server.host}/app`);
    expect(message).toBe(
      `the registry ${server.host} does not allow to read ${server.host}/app:latest: no [2J way`,
    );
  });
});
