import { createServer, type Server } from 'node:http';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { checkStore } from '../rig/check-store.ts';
import { failureOf } from '../rig/failure-of.ts';
import { filesOfTar, type ImageFile } from '../rig/image-files.ts';
import { processesWith } from '../rig/leftovers.ts';
import { packTar } from '../rig/pack-tar.ts';
import { sha256 } from '../rig/push-image.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

let server: Server;
let base = '';
let content = 'first\n';
const asked: string[] = [];
const authorizations: string[] = [];

beforeAll(async () => {
  const archive = gzipSync(await packTar([{ name: 'in/side', type: 'file', content: 'x' }]));
  server = createServer((request, response) => {
    const tag = sha256(content);
    authorizations.push(request.headers.authorization ?? '');
    asked.push(
      `${request.method ?? ''} ${request.url ?? ''} ${request.headers['if-none-match'] === tag ? 'known' : ''}`,
    );
    if (request.url === '/archive.tgz') response.end(archive);
    else if (request.url === '/gone') response.writeHead(404).end();
    else if (request.url === '/stalled') response.write('so far');
    else if (request.url === '/moved') response.writeHead(302, { location: '/file.txt' }).end();
    else if (request.headers['if-none-match'] === tag) response.writeHead(304).end();
    else {
      response.writeHead(200, { etag: tag, 'last-modified': 'Sat, 03 Feb 2001 04:05:06 GMT' });
      response.end(content);
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
});
afterAll(() => server.close());

async function filesOf(world: World): Promise<Map<string, ImageFile>> {
  await world.ok(['build', '-o', 'type=tar,dest=out.tar', '.']);
  return filesOfTar(readFileSync(join(world.context, 'out.tar')));
}

describe.skipIf(lacks('root'))('ADD of a URL', () => {
  test('gives a file of its name, mode 600, with the time that its server says', async ({ world }) => {
    content = 'first\n';
    world.write({
      Dockerfile: `FROM scratch
ADD ${base}/file.txt?query=1 /in/
ADD ${base}/folder/ /in/
ADD ${base} ${base}/?query=1 /in/
ADD ${base}/file.txt /as
ADD --chmod=755 --chown=3:4 --checksum=${sha256(content)} ${base}/moved /moved
ADD ${base}/archive.tgz /kept/
ADD --unpack=true ${base}/archive.tgz /unpacked/
`,
    });
    const files = await filesOf(world);
    const time = Date.parse('2001-02-03T04:05:06Z');
    expect(files.get('in/file.txt')).toMatchObject({ mode: '0600', uid: 0, content, mtime: time });
    expect(files.get('in/folder')).toMatchObject({ content });
    expect(files.get('in/__unnamed__')).toMatchObject({ content });
    expect(files.get('as')).toMatchObject({ mode: '0600', content });
    expect(files.get('moved')).toMatchObject({ mode: '0755', uid: 3, gid: 4, content });
    expect(files.get('kept/archive.tgz')).toMatchObject({ type: 'file', mtime: 0 });
    expect(files.get('unpacked/in/side')).toMatchObject({ content: 'x' });
  });

  test('is told of while it is fetched', async ({ world }) => {
    content = 'x'.repeat(300_000);
    world.write({ Dockerfile: `FROM scratch\nADD ${base}/large?token=secret /\n` });
    const { stderr } = await world.ok(['build', '--progress', 'rawjson', '.']);
    const told = stderr.split('\n').filter((line) => line.includes('"kind":"download"'));
    const size = content.length;
    const shown = told.map((line) => line.replace(/^.*"url":"([^"?]*)[^"]*".*$/, '$1'));
    expect(new Set(shown)).toStrictEqual(new Set([`${base}/large`]));
    expect(JSON.parse(told.at(-1) ?? '')).toMatchObject({ received: size, size });
    expect(told.length).toBeLessThan(100);
    expect(stderr).not.toMatch(/"kind":"download".*secret/);
  });

  test('is asked for again, and runs again only for another file', async ({ world }) => {
    content = 'first\n';
    world.write({ Dockerfile: `FROM scratch\nADD ${base}/file.txt /\n` });
    const first = await world.build(['-t', 'app']);
    asked.length = 0;
    expect(await world.build(['-t', 'app'])).toBe(first);
    expect(asked).toEqual(['GET /file.txt known']);
    content = 'second\n';
    expect((await filesOf(world)).get('file.txt')?.content).toBe('second\n');
  });

  test('sends user name and password of the URL, and shows them nowhere', async ({ world }) => {
    content = 'first\n';
    world.write({ Dockerfile: `FROM scratch\nADD ${base.replace('//', '//me:s3cret@')}/file.txt /\n` });
    asked.length = 0;
    const { stderr } = await world.ok(['build', '-t', 'app', '.']);
    expect(authorizations.at(-1)).toBe(`Basic ${Buffer.from('me:s3cret').toString('base64')}`);
    expect(stderr).toContain(`ADD ${base}/file.txt /`);
    const { stdout } = await world.ok(['history', '--no-trunc', 'app']);
    expect(stdout).toContain(`ADD ${base}/file.txt / # buildkit`);
    expect(stdout + stderr).not.toContain('s3cret');
    expect(
      readdirSync(join(world.store, 'records'))
        .map((name) => readFileSync(join(world.store, 'records', name), 'utf8'))
        .join(''),
    ).not.toContain('s3cret');
  });

  test('that is not there, or not what it should be', async ({ world }) => {
    content = 'first\n';
    world.write({
      Dockerfile: `FROM scratch\nADD ${base}/gone /\n`,
    });
    const clean = (text: string): string => text.replaceAll(base, 'http://HOST').replaceAll(/\^+/g, '^');
    expect(clean(await failureOf(world))).toMatchInlineSnapshot(`
      "error[missing-source]: http://HOST/gone cannot be fetched: its server answers 404 Not Found
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | ADD http://HOST/gone /
          | ^
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
    world.write({ Dockerfile: `FROM scratch\nADD --checksum=sha256:${'0'.repeat(64)} ${base}/file.txt /\n` });
    expect(clean(await failureOf(world))).toMatchInlineSnapshot(`
      "error[bad-checksum]: http://HOST/file.txt is not what its checksum says: it has sha256:b640e840b19d378660b32fb51ae18d67dccb4a8596a29e7bd72c1b2ae5928f41
        at Dockerfile:2:88
        1 | FROM scratch
      > 2 | ...6:0000000000000000000000000000000000000000000000000000000000000000 http://HOST/file.txt /
          |                                                                       ^
        expected: sha256:0000000000000000000000000000000000000000000000000000000000000000
        see docs/errors.md#bad-checksum
      exit code 1
      "
    `);
    world.write({
      Dockerfile: `FROM scratch\nADD --checksum=md5:1 ${base}/file.txt /\n`,
    });
    expect(clean(await failureOf(world))).toMatchInlineSnapshot(`
      "error[invalid-value]: the checksum "md5:1" is no sha256
        at Dockerfile:2:16
        1 | FROM scratch
      > 2 | ADD --checksum=md5:1 http://HOST/file.txt /
          |                ^
        expected: sha256: and 64 hex digits
        see docs/errors.md#invalid-value
      exit code 1
      "
    `);
    world.write({ Dockerfile: 'FROM scratch\nADD http://127.0.0.1:9/x /\n' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[fetch-failed]: http://127.0.0.1:9/x cannot be fetched: cannot reach 127.0.0.1:9: the connection was refused
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | ADD http://127.0.0.1:9/x /
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^
        see docs/errors.md#fetch-failed
      exit code 1
      "
    `);
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('ADD of a URL, beside other steps', () => {
  test('is fetched while those before it work', { timeout: 60_000 }, async ({ world }) => {
    const path = '/early';
    world.write({ Dockerfile: `FROM busybox\nRUN sleep 600\nADD ${base}${path} /\n` });
    const end = new AbortController();
    const building = world.run(['build', '.'], { signal: end.signal });
    while (!asked.some((line) => line.includes(path))) await sleep(20);
    end.abort();
    await building;
    expect(processesWith(world.store)).toEqual([]);
    expect(checkStore(world.store)).toEqual([]);
  });

  test('is not waited for when another one failed', { timeout: 30_000 }, async ({ world }) => {
    world.write({
      Dockerfile: `FROM busybox AS failing\nRUN exit 3\nFROM scratch\nADD ${base}/stalled /\nCOPY --from=failing / /\n`,
    });
    const { exitCode, stderr } = await world.run(['build', '.']);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('exit code 3')]);
    expect(checkStore(world.store)).toEqual([]);
  });
});
