import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf } from '@caisson/oci';
import { answer } from './testing/fake-server.ts';
import {
  MANIFEST,
  SECRET,
  layer,
  describeLayer,
  manifestOf,
  folder,
  serve,
  registry,
  logIn,
  pull,
  failure,
  authorized,
  challenge,
  guarded,
  helper,
} from './testing/pull-rig.ts';

describe('credentials', () => {
  test('go to their host, and are not sent before they are asked for', async () => {
    const open = await registry();
    logIn(open.host);
    await pull(`${open.host}/app`);
    expect(authorized(open)).toEqual([]);
    const server = await guarded();
    logIn(server.host);
    await pull(`${server.host}/app`);
    expect(authorized(server).length).toBeGreaterThan(1);
  });

  test.each(['x', ':1', '.evil.example'])('for %s are not those of the host', async (suffix) => {
    const server = await guarded();
    logIn(`${server.host}${suffix}`, `x${server.host}`, server.host.replace('127', '128'));
    expect((await failure(`${server.host}/app`)).code).toBe('unauthorized');
    expect(authorized(server)).toEqual([]);
  });

  test.each([301, 302, 307, 308])('do not follow a redirect (%i) to another port', async (status) => {
    const other = await serve((asked, response) => {
      // It asks for them, too.
      if (asked.url.includes('again')) answer(response, 200, {}, layer);
      else answer(response, 401, challenge);
    });
    const server = await guarded((asked, response) => {
      if (!asked.url.endsWith(digestOf(layer))) return false;
      answer(response, status, { location: `http://${other.host}/elsewhere` });
      return true;
    });
    logIn(server.host, other.host);
    await failure(`${server.host}/app`);
    expect(other.asked.length).toBeGreaterThan(0);
    expect(authorized(other)).toEqual([]);
  });

  test('go along with a redirect on the same host', async () => {
    const server = await guarded((asked, response) => {
      if (asked.url.endsWith('/there')) answer(response, 200, {}, layer);
      else if (asked.url.endsWith(digestOf(layer))) answer(response, 307, { location: '/v2/there' });
      else return false;
      return true;
    });
    logIn(server.host);
    await pull(`${server.host}/app`);
    expect(server.asked.find(({ url }) => url === '/v2/there')?.authorization).toBe(SECRET);
  });

  test('are not sent to where a layer claims to lie', async () => {
    const other = await serve((_asked, response) => answer(response, 401, challenge));
    const foreign = manifestOf({ layers: [{ ...describeLayer, urls: [`http://${other.host}/layer`] }] });
    const server = await guarded((asked, response) => {
      if (asked.url.includes('/manifests/')) answer(response, 200, { 'content-type': MANIFEST }, foreign);
      else if (asked.url.endsWith(digestOf(layer))) answer(response, 404);
      else return false;
      return true;
    });
    logIn(server.host, other.host);
    expect((await failure(`${server.host}/app`)).code).toBe('not-found');
    expect(other.lines).toEqual(['GET /layer']);
    expect(authorized(other)).toEqual([]);
  });

  test('are not sent to a mirror', async () => {
    const mirror = await serve((_asked, response) => answer(response, 401, challenge));
    const server = await guarded();
    logIn(server.host);
    const warnings: string[] = [];
    await pull(`${server.host}/app`, {
      mirrors: new Map([[server.host, [`http://${mirror.host}`]]]),
      onWarning: (message) => warnings.push(message),
    });
    expect(mirror.asked.length).toBeGreaterThan(0);
    expect(authorized(mirror)).toEqual([]);
    expect(warnings[0]).toMatch(
      /^a mirror of 127\.0\.0\.1:\d+: the registry 127\.0\.0\.1:\d+ asks for credentials/,
    );
  });

  test('are not in messages', async () => {
    const server = await registry((_asked, response) => {
      answer(response, 401, challenge);
      return true;
    });
    logIn(server.host);
    const error = await failure(`${server.host}/app`);
    expect(error.code).toBe('unauthorized');
    expect(`${error.message} ${error.hint ?? ''}`).not.toMatch(/secret|dXNlcj/);
  });

  test.each([
    ['ftp://127.0.0.1/token', 'unsafe-address'],
    ['http://169.254.169.254/latest/meta-data', 'unsafe-address'],
    ['http://[fe80::1]/token', 'unsafe-address'],
    ['not a url', 'invalid-response'],
  ] as const)('are not sent to the token server %s', async (realm, code) => {
    const server = await registry((_asked, response) => {
      answer(response, 401, { 'www-authenticate': `Bearer realm="${realm}",service="x"` });
      return true;
    });
    logIn(server.host);
    expect((await failure(`${server.host}/app`)).code).toBe(code);
    expect(authorized(server)).toEqual([]);
  });

  test('do not follow a token server that redirects', async () => {
    const other = await serve((_asked, response) => answer(response, 200, {}, '{"token":"stolen"}'));
    const server = await registry((asked, response) => {
      if (asked.url.startsWith('/token')) answer(response, 307, { location: `http://${other.host}/token` });
      else answer(response, 401, { 'www-authenticate': `Bearer realm="http://${server.host}/token"` });
      return true;
    });
    logIn(server.host);
    await failure(`${server.host}/app`);
    expect(other.asked).toEqual([]);
  });

  test('are exchanged for one token, whose scope is widened once', async () => {
    const server = await registry((asked, response) => {
      if (asked.url.startsWith('/token')) {
        const wide = asked.url.includes('special');
        answer(response, 200, {}, JSON.stringify({ access_token: wide ? 'wide' : 'narrow', expires_in: 0 }));
        return true;
      }
      const realm = `Bearer realm="http://${server.host}/token",service="a b\\"c&d"`;
      if (asked.authorization === undefined)
        answer(response, 401, { 'www-authenticate': `Digest x, ${realm}` });
      else if (asked.authorization === 'Bearer narrow')
        answer(response, 403, {
          'www-authenticate': `${realm},scope="repository:special:pull",error="insufficient_scope"`,
        });
      else return false;
      return true;
    });
    logIn(server.host);
    await pull(`${server.host}/app`);
    const tokens = server.asked.filter(({ url }) => url.startsWith('/token'));
    expect(tokens.filter(({ url }) => url.includes('special'))).toHaveLength(1);
    expect(new Set(tokens.map(({ authorization }) => authorization))).toEqual(new Set([SECRET]));
    expect(new URL(tokens[0]?.url ?? '', 'http://x').searchParams.get('service')).toBe('a b"c&d');
  });
});

describe('a credential helper', () => {
  test('gives what it keeps', async () => {
    helper(`echo '{"Username":"user","Secret":"secret"}'`);
    const server = await guarded();
    await pull(`${server.host}/app`);
    expect(authorized(server).length).toBeGreaterThan(0);
  });

  test.each([
    ['while :; do :; done', 'the credential helper docker-credential-test did not answer in time'],
    ['echo no; exit 3', 'the credential helper docker-credential-test failed with exit code 3: no'],
    ['echo secret-and-no-json', 'the credential helper docker-credential-test gave an answer that is none'],
  ])('that does %s', async (script, message) => {
    helper(script);
    const server = await guarded();
    const error = await failure(`${server.host}/app`);
    expect(error).toMatchObject({ code: 'credentials', message });
  });

  test('with a path for a name is not run', async () => {
    helper('exit 1');
    writeFileSync(join(folder, 'docker', 'config.json'), JSON.stringify({ credsStore: '../../bin/sh' }));
    const server = await guarded();
    expect((await failure(`${server.host}/app`)).message).toBe(
      'the credential helper "../../bin/sh" has no valid name',
    );
  });
});
