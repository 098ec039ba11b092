import { readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { gzipSync } from 'node:zlib';
import { failureOf } from '../rig/failure-of.ts';
import { packTar } from '../rig/pack-tar.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const DOCKERFILE = 'FROM scratch\nCOPY . /all/\n';

describe.skipIf(lacks('root'))('the standard input', () => {
  test('may be a Dockerfile, without a context', async ({ world }) => {
    const built = await world.ok(['build', '-q', '-'], { input: 'FROM scratch\nLABEL a=b\n' });
    expect(built.stdout).toMatch(/^sha256:/);
    const { exitCode, stderr } = await world.run(['build', '-'], { input: 'FROM scratch\nCOPY a /\n' });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('error[missing-source]: the build context has no a\n  at Dockerfile:2:6\n');
  });

  test('may be the Dockerfile of a folder', async ({ world }) => {
    world.write({ a: 'a\n', Dockerfile: 'FROM nothing\n' });
    await world.ok(['build', '-t', 'app', '-f', '-', '-o', 'out', '.'], { input: DOCKERFILE });
    expect(readdirSync(`${world.context}/out/all`).toSorted()).toEqual(['Dockerfile', 'a']);
  });

  test('may be an archive, whose .dockerignore does not count', async ({ world }) => {
    const tar = await packTar([
      { name: 'Dockerfile', type: 'file', content: DOCKERFILE },
      { name: 'docker/other', type: 'file', content: 'FROM scratch\nCOPY sub /sub\n' },
      { name: '.dockerignore', type: 'file', content: 'hidden\n' },
      { name: 'hidden', type: 'file', content: 'x' },
      { name: 'sub/', type: 'directory' },
      { name: 'sub/file', type: 'file', content: 'x', uid: 5 },
    ]);
    await world.ok(['build', '-o', 'out', '-'], { input: tar });
    expect(readdirSync(`${world.context}/out/all`)).toContain('hidden');
    await world.ok(['build', '-f', 'docker/other', '-o', 'out2', '-'], { input: gzipSync(tar) });
    expect(readdirSync(`${world.context}/out2`)).toEqual(['sub']);
    expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
  });

  test.each([
    ['a\0b', 'neither a Dockerfile nor an archive'],
    ['', 'empty'],
  ])('that is %j is refused', async (input, what) => {
    const { makeWorld, removeWorld } = await import('../rig/world.ts');
    const world = makeWorld();
    expect(await world.run(['build', '-'], { input })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error[invalid-request]: what came as the build context is ${what}\n  expected: a tar, compressed or not, or a Dockerfile\n  see docs/errors.md#invalid-request\n`,
    });
    await removeWorld(world);
  });

  test('cannot be both', async ({ world }) => {
    const { exitCode, stderr } = await world.run(['build', '-f', '-', '-']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr:
        'error[usage]: the Dockerfile and the context cannot both come on the standard input\n  see caisson build --help\n',
    });
  });
});

const ARCHIVE = [
  { name: 'Dockerfile', type: 'file', content: DOCKERFILE },
  { name: 'other', type: 'file', content: 'FROM scratch\nCOPY sub /sub\n' },
  { name: '.dockerignore', type: 'file', content: 'hidden\n' },
  { name: 'hidden', type: 'file', content: 'x' },
  { name: 'sub/file', type: 'file', content: 'x' },
] as const;

/** The names of what a build copies of its context. */
async function copied(world: World, args: readonly string[]): Promise<string[]> {
  await world.ok(['build', '-o', 'out', ...args]);
  return readdirSync(`${world.context}/out/all`).toSorted();
}

const ALL = ['.dockerignore', 'Dockerfile', 'hidden', 'other', 'sub'];

describe.skipIf(lacks('root'))('a context that is an archive', () => {
  test('of this machine', async ({ world }) => {
    const tar = await packTar(ARCHIVE);
    world.write({
      'context.tar': tar,
      'context.tar.gz': gzipSync(tar),
      local: 'FROM scratch\nCOPY other /all/\n',
    });
    expect(await copied(world, ['context.tar'])).toEqual(ALL);
    expect(await copied(world, ['context.tar.gz'])).toEqual(ALL);
    await world.ok(['build', '-o', 'out2', '-f', 'other', 'context.tar']);
    expect(readdirSync(`${world.context}/out2`)).toEqual(['sub']);
    await world.ok(['build', '-o', 'out3', '-f', join(world.context, 'local'), 'context.tar']);
    expect(readdirSync(`${world.context}/out3/all`)).toEqual(['other']);
  });

  test('holds no Dockerfile, or leads out of it', async ({ world }) => {
    const failure = async (args: readonly string[]): Promise<string> =>
      (await failureOf(world, ['build', ...args])).replaceAll(world.context, 'CONTEXT');
    world.write({
      'none.tar': await packTar([{ name: 'a', type: 'file', content: 'a' }]),
      'out.tar': await packTar([{ name: 'Dockerfile', type: 'symlink', linkname: '/etc/hostname' }]),
      'no-archive': 'FROM scratch\n',
    });
    expect(await failure(['none.tar'])).toMatchInlineSnapshot(`
      "error[no-dockerfile]: there is no Dockerfile in CONTEXT/none.tar
        hint: -f names a Dockerfile that is called otherwise
        see docs/errors.md#no-dockerfile
      exit code 2
      "
    `);
    expect(await failure(['-f', '../x', 'none.tar'])).toMatchInlineSnapshot(`
      "error[no-dockerfile]: there is no Dockerfile ../x in CONTEXT/none.tar
        hint: -f names a file of that context; an absolute path, one of this machine
        see docs/errors.md#no-dockerfile
      exit code 2
      "
    `);
    expect(await failure(['file:///srv/app'])).toMatchInlineSnapshot(`
      "error[invalid-request]: the build context is a file: URL: folders and files are named by their paths
        expected: a folder, an archive, the URL of one, or a git repository
        did you mean /srv/app?
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
    expect(await failure(['-f', 'sub/x', 'none.tar'])).toMatchInlineSnapshot(`
      "error[no-dockerfile]: there is no Dockerfile sub/x in CONTEXT/none.tar
        see docs/errors.md#no-dockerfile
      exit code 2
      "
    `);
    expect(await failure(['out.tar'])).toMatchInlineSnapshot(`
      "error[no-dockerfile]: Dockerfile is no file of CONTEXT/out.tar
        see docs/errors.md#no-dockerfile
      exit code 2
      "
    `);
    expect(await failure(['no-archive'])).toMatchInlineSnapshot(`
      "error[invalid-request]: CONTEXT/no-archive is no archive
        expected: a folder, an archive, the URL of one, or a git repository
        hint: -f names a Dockerfile
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
  });
});

describe.skipIf(lacks('root'))('a context that is a URL', () => {
  let server: Server;
  let base = '';
  const asked: string[] = [];

  beforeAll(async () => {
    const archive = gzipSync(await packTar(ARCHIVE));
    server = createServer((request, response) => {
      const { authorization = '' } = request.headers;
      asked.push(`${request.url ?? ''} ${authorization}`.trim());
      if (request.url === '/context.tgz' || request.url?.startsWith('/context.tgz?')) response.end(archive);
      else if (request.url === '/Dockerfile') response.end('FROM scratch\nLABEL a=b\n');
      else if (request.url === '/copies') response.end('FROM scratch\nCOPY own /\n');
      else if (request.url === '/wrong') response.end('FROM scratch\nCOPPY own /\n');
      else if (request.url === '/binary') response.end('a\0b');
      else if (request.url === '/moved')
        response.writeHead(302, { location: base.replace('127.0.0.1', 'localhost') + '/context.tgz' }).end();
      else if (request.url === '/private' && authorization === 'Bearer t0ken') response.end(archive);
      else if (request.url === '/private') response.writeHead(401).end();
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, resolve);
    });
    const address = server.address();
    base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  });
  afterAll(() => server.close());

  test('of an archive, or of a Dockerfile', async ({ world }) => {
    expect(await copied(world, [`${base}/context.tgz`])).toEqual(ALL);
    await world.ok(['build', '-t', 'app', `${base}/Dockerfile`]);
    expect((await world.ok(['inspect', 'app'])).stdout).toContain('"a": "b"');
    world.write({ own: 'own\n' });
    await world.ok(['build', '-o', 'out2', '-f', `${base}/copies`, '.']);
    expect(readdirSync(`${world.context}/out2`)).toEqual(['own']);
    world.write({ 'named/Dockerfile': 'FROM scratch\nCOPY --from=n . /all/\n' });
    expect(await copied(world, ['--build-context', `n=${base}/context.tgz`, 'named'])).toEqual(ALL);
  });

  test('is asked with the secret of its host, which follows no redirect', async ({ world }) => {
    const host = new URL(base).host;
    const args = ['--secret', `id=HTTP_AUTH_TOKEN_${host},env=T`];
    const env = { T: 't0ken\n' };
    await world.ok(['build', ...args, `${base}/private`], { env });
    asked.length = 0;
    await world.ok(['build', ...args, `${base}/moved`], { env });
    expect(asked).toEqual(['/moved Bearer t0ken', '/context.tgz']);
    asked.length = 0;
    await world.ok(['build', '--secret', `id=HTTP_AUTH_HEADER_${host},env=T`, `${base}/context.tgz`], {
      env,
    });
    await world.ok(['build', `${base.replace('http://', 'http://me:p%40ss@')}/context.tgz?1`]);
    expect(asked).toEqual(['/context.tgz t0ken', '/context.tgz?1 Basic bWU6cEBzcw==']);
  });

  test('is not there, is neither of them, or is wrong', async ({ world }) => {
    const failure = async (...args: string[]): Promise<string> =>
      (await failureOf(world, ['build', ...args])).replaceAll(new URL(base).host, 'HOST');
    world.write({ Dockerfile: 'FROM scratch\nCOPY --from=n . /\n' });
    expect(await failure(`${base}/nothing?key=s3cret`)).toMatchInlineSnapshot(`
      "error[missing-source]: http://HOST/nothing?... cannot be fetched: its server answers 404 Not Found
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
    expect(await failure(`${base}/private`)).toMatchInlineSnapshot(`
      "error[fetch-failed]: http://HOST/private cannot be fetched: its server answers 401 Unauthorized
        hint: the secret HTTP_AUTH_TOKEN_HOST, or HTTP_AUTH_HEADER_HOST, is sent to its server
        see docs/errors.md#fetch-failed
      exit code 1
      "
    `);
    expect(await failure(`${base}/binary`)).toMatchInlineSnapshot(`
      "error[invalid-request]: http://HOST/binary is neither a Dockerfile nor an archive
        expected: a tar, compressed or not, or a Dockerfile
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
    expect(await failure(`${base}/wrong`)).toMatchInlineSnapshot(`
      "error[unknown-instruction]: there is no instruction "COPPY"
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | COPPY own /
          | ^^^^^
        did you mean COPY?
        see docs/errors.md#unknown-instruction
      exit code 1
      "
    `);
    expect(await failure('-f', `${base}/wrong`, '.')).toMatchInlineSnapshot(`
      "error[unknown-instruction]: there is no instruction "COPPY"
        at http://HOST/wrong:2:1
        1 | FROM scratch
      > 2 | COPPY own /
          | ^^^^^
        did you mean COPY?
        see docs/errors.md#unknown-instruction
      exit code 1
      "
    `);
    expect(await failure('-f', `${base}/nothing`, '.')).toMatchInlineSnapshot(`
      "error[missing-source]: http://HOST/nothing cannot be fetched: its server answers 404 Not Found
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
    expect(await failure('-f', 'nowhere', `${base}/context.tgz`)).toMatchInlineSnapshot(`
      "error[no-dockerfile]: there is no Dockerfile nowhere in http://HOST/context.tgz
        see docs/errors.md#no-dockerfile
      exit code 2
      "
    `);
    expect(await failure('--build-context', `n=${base}/Dockerfile`, '.')).toMatchInlineSnapshot(`
      "error[invalid-request]: the build context n is no archive
        at Dockerfile:2:13
        1 | FROM scratch
      > 2 | COPY --from=n . /
          |             ^
        expected: a folder, an archive, or a git repository
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
    expect(await failure('http://127.0.0.1:9/x')).toMatchInlineSnapshot(`
      "error[fetch-failed]: http://127.0.0.1:9/x cannot be fetched: cannot reach 127.0.0.1:9: the connection was refused
        see docs/errors.md#fetch-failed
      exit code 1
      "
    `);
  });
});

describe.skipIf(lacks('root'))('a context that is a link', () => {
  test('is the folder that it leads to, named or not', async ({ world }) => {
    world.write({ 'one/a': 'a\n', 'one/folder/b': 'b\n', 'two/c': 'c\n' });
    for (const [to, name] of [
      ['one', 'main'],
      ['two', 'named'],
    ] as const)
      symlinkSync(to, join(world.context, name));
    const input = 'FROM scratch\nCOPY . /main/\nCOPY --from=named . /named/\n';
    const files = (): string[] =>
      readdirSync(`${world.context}/out`, { recursive: true }).map(String).toSorted();
    const expected = ['main', 'main/a', 'main/folder', 'main/folder/b', 'named', 'named/c'];
    const more = ['-f', join(world.folder, 'file'), '--build-context', 'named=named'];
    writeFileSync(join(world.folder, 'file'), input);
    for (let time = 0; time < 2; time++) {
      rmSync(`${world.context}/out`, { recursive: true, force: true });
      await world.ok(['build', ...more, '-o', 'out', 'main']);
      expect(files()).toEqual(expected);
    }
  });
});
