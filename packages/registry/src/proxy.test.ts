import { createServer, request as ask, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { digestOf } from '@caisson/oci';
import { config, failure, pull, registry } from './testing/pull-rig.ts';
import { proxyFor } from './transport/proxy.ts';

/** A proxy. All names lead to one server. */
async function startProxy(port: number): Promise<{ url: string; asked: string[]; close: () => void }> {
  const asked: string[] = [];
  const note = (request: IncomingMessage): void => {
    const { host } = new URL(
      request.method === 'CONNECT' ? `http://${request.url ?? ''}` : (request.url ?? ''),
    );
    asked.push(`${host} ${request.headers['proxy-authorization'] ?? 'anonymous'}`);
  };
  const server = createServer((request, response) => {
    note(request);
    const { pathname } = new URL(request.url ?? '');
    const { authorization: _none, ...headers } = request.headers;
    const onward = ask({ port, path: pathname, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.end();
  });
  server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => {
    note(request);
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const own = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://user:secret@127.0.0.1:${own}`, asked, close: () => server.close() };
}

/** A registry by a name that only a proxy knows. */
const NAMED = { mirrors: new Map([['r.test', ['http://registry.test']]]) };

describe('a proxy', () => {
  test('is gone through, with its own credentials', async () => {
    const server = await registry();
    const proxy = await startProxy(Number(server.host.split(':')[1]));
    const env = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };
    expect(await pull('r.test/app', { ...NAMED, env })).toBe(digestOf(config));
    expect(new Set(proxy.asked.map((each) => each.replace(':80 ', ' ')))).toEqual(
      new Set(['registry.test Basic dXNlcjpzZWNyZXQ=']),
    );
    proxy.close();
  });

  test('is not in the way of this machine', async () => {
    const server = await registry();
    const env = { HTTP_PROXY: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9' };
    expect(await pull(`${server.host}/app`, { env })).toBe(digestOf(config));
  });

  test('that is not there is named, without its password', async () => {
    const proxy = 'http://user:secret@127.0.0.1:9';
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    await failure('r.test/app', { ...NAMED, env: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy }, onWarning });
    expect(warnings[0]).toContain('127.0.0.1:9');
    expect(warnings.join()).not.toContain('secret');
  });

  test.each([
    ['https://r.io/', 'r.io', false],
    ['https://r.io:5000/', 'r.io', false],
    ['https://r.io:5000/', 'r.io:443', true],
    ['https://a.r.io/', '.r.io', false],
    ['https://a.r.io/', 'r.io', false],
    ['https://xr.io/', 'r.io', true],
    ['https://10.1.2.3/', '10.0.0.0/8', false],
    ['https://11.1.2.3/', '10.0.0.0/8', true],
    ['https://r.io/', '*', false],
    ['https://r.io/', '', true],
  ])('for %s with NO_PROXY=%s: %s', (url, noProxy, isUsed) => {
    const env = { https_proxy: 'http://proxy:3128', NO_PROXY: noProxy };
    expect(proxyFor(new URL(url), env) !== undefined).toBe(isUsed);
  });
});
