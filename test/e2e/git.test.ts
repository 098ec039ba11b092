import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { startGitServer, type GitRepository, type GitServer } from '../rig/git-server.ts';
import { filesOfTar, type ImageFile } from '../rig/image-files.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const FOLDER = fileURLToPath(new URL('../../.caisson/test/git', import.meta.url));

let server: GitServer;
let app: GitRepository;
let first = '';
let second = '';

const isPossible = !lacks('root', 'git');

beforeAll(async () => {
  if (!isPossible) return;
  server = await startGitServer(FOLDER);
  app = await server.repository('app');
  first = await app.commit({ a: 'first\n', 'sub/s': 's\n', 'run.sh': '#!/bin/sh\n' });
  await app.git('tag', 'v1');
  await app.git('tag', '-a', 'annotated', '-m', 'a tag');
  await app.git('branch', 'other');
  chmodSync(join(app.work, 'run.sh'), 0o755);
  second = await app.commit({ a: 'second\n', 'sub/up': 'x\n' });
  await app.git('tag', 'both', first);
  await app.git('branch', 'both');
  await app.publish();
});
afterAll(() => server?.[Symbol.asyncDispose]());

async function add(
  world: World,
  text: string,
  args: readonly string[] = [],
): Promise<Map<string, ImageFile>> {
  world.write({ Dockerfile: `FROM scratch\nADD ${text} /\n` });
  await world.ok(['build', '-o', 'type=tar,dest=out.tar', ...args, '.']);
  return filesOfTar(readFileSync(join(world.context, 'out.tar')));
}

describe.skipIf(!isPossible)('ADD of a git repository', () => {
  test('gives its files without .git, owned by root, with modes that no umask changes', async ({ world }) => {
    const before = process.umask(0o077);
    const files = await add(world, app.url).finally(() => process.umask(before));
    expect([...files.keys()].toSorted()).toEqual(['a', 'run.sh', 'sub', 'sub/s', 'sub/up']);
    expect(files.get('a')).toMatchObject({ mode: '0644', uid: 0, gid: 0, content: 'second\n' });
    expect(files.get('run.sh')).toMatchObject({ mode: '0755' });
    expect(files.get('sub')).toMatchObject({ type: 'directory', mode: '0755' });
  });

  // Docker 28.5 takes the tag where a tag and a branch have one name.
  test.for([
    ['#v1', 'first\n'],
    ['#annotated', 'first\n'],
    ['#main', 'second\n'],
    ['#other', 'first\n'],
    ['#both', 'first\n'],
    ['#refs/heads/both', 'second\n'],
    ['?branch=both', 'second\n'],
    ['?tag=both', 'first\n'],
    ['#FIRST', 'first\n'],
    ['?ref=FIRST&fetch-by-commit', 'first\n'],
    ['?ref=other&fetch-by-commit=1', 'first\n'],
    ['?commit=SHORT', 'second\n'],
  ] as const)('%s', async ([reference, content], { world }) => {
    const text = reference.replace('FIRST', first).replace('SHORT', second.slice(0, 7));
    expect((await add(world, app.url + text)).get('a')?.content).toBe(content);
  });

  test('may be a folder of it, and may leave something out', async ({ world }) => {
    expect([...(await add(world, `${app.url}#main:sub`)).keys()]).toEqual(['s', 'up']);
    expect([...(await add(world, `--exclude=sub --exclude=*.sh ${app.url}#v1`)).keys()]).toEqual(['a']);
    const files = await add(world, `--chown=3:4 --chmod=700 ${app.url}?subdir=sub`);
    expect(files.get('s')).toMatchObject({ mode: '0700', uid: 3, gid: 4 });
  });

  test('may keep .git, without hooks, and without what the user has configured', async ({ world }) => {
    const files = await add(
      world,
      `--keep-git-dir ${app.url.replace('http://', 'http://somebody:t0ken@')}#v1`,
    );
    expect(files.get('.git/HEAD')?.content).toBe(`${first}\n`);
    expect([...files.keys()]).not.toContain('.git/FETCH_HEAD');
    expect([...files.keys()]).not.toContain('.git/logs/HEAD');
    expect(files.get('.git/config')?.content).toContain(`url = ${app.url}\n`);
    expect([...files.keys()].filter((name) => name.startsWith('.git/hooks/'))).toEqual([]);
    expect(readFileSync(join(world.context, 'out.tar'), 'latin1')).not.toContain('t0ken');
    expect(files.get('.git/refs/tags/v1')?.content).toBe(`${first}\n`);
    const head = await add(world, `${app.url}?keep-git-dir`);
    expect(head.get('.git/HEAD')?.content).toBe(`${second}\n`);
    expect(head.get('.git/refs/heads/main')?.content).toBe(`${second}\n`);
  });

  test('may hold names that are no text', async ({ world }) => {
    const odd = await server.repository('odd');
    writeFileSync(Buffer.concat([Buffer.from(`${odd.work}/`), Buffer.from([0x61, 0xff, 0x62])]), 'odd\n');
    await odd.commit({ 'new\nline': 'x\n' });
    const files = await add(world, odd.url);
    expect([...files.values()].map(({ content, mode }) => [content, mode])).toEqual([
      ['odd\n', '0644'],
      ['x\n', '0644'],
    ]);
  });

  test('may have the time of its commit', async ({ world }) => {
    const files = await add(world, `${app.url}?mtime=commit`);
    expect(files.get('a')?.mtime).toBe(Date.parse('2001-02-03T04:05:06Z'));
  });

  test('is asked which commit it is, and fetched only for another one', async ({ world }) => {
    const moving = await server.repository('moving');
    await moving.commit({ a: '1\n' });
    const build = async (): Promise<string> => (await world.ok(['build', '-t', 'x', '.'])).stderr;
    world.write({ Dockerfile: `FROM scratch\nADD ${moving.url} /\n` });
    expect(await build()).toContain('0 steps cached, 1 ran');
    server.asked.length = 0;
    expect(await build()).toContain('1 step cached, 0 ran');
    expect(server.asked.map((line) => line.split(' ')[1])).toEqual([
      '/moving.git/info/refs?service=git-upload-pack',
      '/moving.git/git-upload-pack',
    ]);
    const sha = await moving.commit({ a: '2\n' });
    expect(await build()).toContain('0 steps cached, 1 ran');
    world.write({ Dockerfile: `FROM scratch\nADD ${moving.url}#${sha} /\n` });
    await build();
    server.asked.length = 0;
    expect(await build()).toContain('1 step cached, 0 ran');
    expect(server.asked).toEqual([]);
  });

  test('brings its submodules along, unless told not to; never those of this machine', async ({ world }) => {
    const parent = await server.repository('parent');
    await parent.commit({ own: 'own\n' });
    await parent.git(
      '-c',
      'protocol.file.allow=always',
      'submodule',
      '--quiet',
      'add',
      '--',
      '../app.git',
      'module',
    );
    await parent.commit({});
    expect([...(await add(world, parent.url)).keys()]).toContain('module/a');
    expect([...(await add(world, `${parent.url}?submodules=false`)).keys()]).not.toContain('module/a');
    await parent.git('config', '-f', '.gitmodules', 'submodule.module.url', app.folder);
    await parent.commit({});
    world.write({ Dockerfile: `FROM scratch\nADD ${parent.url} /\n` });
    const said = (await failureOf(world))
      .replaceAll(server.url, 'SERVER')
      .replaceAll(server.folder, 'FOLDER');
    expect(said).toContain(`error[fetch-failed]: the git repository SERVER/parent.git cannot be fetched\n`);
    expect(said).toContain("transport 'file' not allowed");
  });
});

/** What is said of an ADD that fails. */
async function failure(world: World, text: string): Promise<string> {
  world.write({ Dockerfile: `FROM scratch\nADD ${text} /\n` });
  const said = await failureOf(world);
  return said
    .replaceAll(server.url, 'SERVER')
    .replaceAll(second, 'SECOND')
    .replaceAll(/ *\| \^+\n/g, '    | ^\n');
}

describe.skipIf(!isPossible)('ADD of a git repository that cannot be', () => {
  test('no such ref, folder or commit', async ({ world }) => {
    expect(await failure(world, `${app.url}#othr`)).toMatchInlineSnapshot(`
      "error[missing-source]: SERVER/app.git has no branch or tag "othr"
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | ADD SERVER/app.git#othr /
          | ^
        did you mean other?
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
    expect(await failure(world, `${app.url}#${first.slice(0, 12)}`)).toMatchInlineSnapshot(`
      "error[missing-source]: SERVER/app.git has no branch or tag "36158446173e"
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | ADD SERVER/app.git#36158446173e /
          | ^
        hint: a commit is named by all of its 40 digits
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
    expect(await failure(world, `${app.url}#main:nowhere`)).toMatchInlineSnapshot(`
      "error[missing-source]: SERVER/app.git#main has no folder nowhere
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | ADD SERVER/app.git#main:nowhere /
          | ^
        expected: a folder of SERVER/app.git, not behind a link
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
    expect(await failure(world, `${app.url}#main:a`)).toMatchInlineSnapshot(`
      "error[missing-source]: SERVER/app.git#main has a, but it is no folder of it
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | ADD SERVER/app.git#main:a /
          | ^
        expected: a folder of SERVER/app.git, not behind a link
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
    expect(await failure(world, `--checksum=abcdef ${app.url}`)).toMatchInlineSnapshot(`
      "error[bad-checksum]: SERVER/app.git is not what its checksum says: it is SECOND
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | ADD --checksum=abcdef SERVER/app.git /
          | ^
        expected: a commit of SERVER/app.git that begins with abcdef
        see docs/errors.md#bad-checksum
      exit code 1
      "
    `);
    expect(await failure(world, `${app.url}#${'1'.repeat(40)}`)).toMatchInlineSnapshot(`
      "error[missing-source]: SERVER/app.git has no commit 1111111111111111111111111111111111111111
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | ADD SERVER/app.git#1111111111111111111111111111111111111111 /
          | ^
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
    expect(await failure(world, `${server.url}/nothing.git`)).toMatchInlineSnapshot(`
      "error[fetch-failed]: the git repository SERVER/nothing.git cannot be fetched
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | ADD SERVER/nothing.git /
          | ^
        its last output:
        | fatal: repository 'SERVER/nothing.git/' not found
        see docs/errors.md#fetch-failed
      exit code 1
      "
    `);
    expect(await failure(world, 'git://127.0.0.1:1/x')).toMatchInlineSnapshot(`
      "error[fetch-failed]: the git repository git://127.0.0.1:1/x cannot be fetched
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | ADD git://127.0.0.1:1/x /
          | ^
        its last output:
        | fatal: unable to connect to 127.0.0.1:
        | 127.0.0.1[0: 127.0.0.1]: errno=Connection refused
        see docs/errors.md#fetch-failed
      exit code 1
      "
    `);
  });

  test('a folder behind a link', async ({ world }) => {
    const linked = await server.repository('linked');
    symlinkSync('/etc', join(linked.work, 'out'));
    symlinkSync('in', join(linked.work, 'also'));
    await linked.commit({ 'in/a': 'a\n' });
    for (const folder of ['out', 'also', 'out/ssh']) {
      expect(await failure(world, `${linked.url}#main:${folder}`)).toMatch(
        `error[missing-source]: SERVER/linked.git#main has ${folder}, but it is no folder of it\n`,
      );
    }
    expect((await add(world, `${linked.url}#main:in`)).get('a')?.content).toBe('a\n');
  });

  test('flags and query that do not fit', async ({ world }) => {
    expect(await failure(world, `--keep-git-dir=false ${app.url}?keep-git-dir=1`)).toMatchInlineSnapshot(`
      "error[invalid-value]: --keep-git-dir=false conflicts with keep-git-dir=true in the query
        at Dockerfile:2:26
        1 | FROM scratch
      > 2 | ADD --keep-git-dir=false SERVER/app.git?keep-git-dir=1 /
          |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        expected: one of them
        see docs/errors.md#invalid-value
      exit code 1
      "
    `);
    expect(await failure(world, `--checksum=ab ${app.url}?commit=cd`)).toMatchInlineSnapshot(`
      "error[invalid-value]: --checksum=ab conflicts with checksum=cd in the query
        at Dockerfile:2:19
        1 | FROM scratch
      > 2 | ADD --checksum=ab SERVER/app.git?commit=cd /
          |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        expected: one of them
        see docs/errors.md#invalid-value
      exit code 1
      "
    `);
    expect(await failure(world, `--checksum=xy ${app.url}`)).toMatchInlineSnapshot(`
      "error[invalid-value]: the checksum "xy" is no commit
        at Dockerfile:2:16
        1 | FROM scratch
      > 2 | ADD --checksum=xy SERVER/app.git /
          |                ^^
        expected: hex digits, up to 64
        see docs/errors.md#invalid-value
      exit code 1
      "
    `);
    expect(await failure(world, `--checksum=ab ${app.url} ${app.url}`)).toMatchInlineSnapshot(`
      "error[invalid-flag]: --checksum is for one source that is a URL or a git repository
        at Dockerfile:2:5
        1 | FROM scratch
      > 2 | ADD --checksum=ab SERVER/app.git SERVER/app.git /
          |     ^^^^^^^^^^^^^
        expected: ADD --checksum=... URL destination
        see docs/errors.md#invalid-flag
      exit code 1
      "
    `);
    expect(await failure(world, `--checksum=ab ${app.url} local`)).toContain(
      '--checksum is for one source that is a URL or a git repository\n',
    );
    expect(await failure(world, `${app.url}?subdr=x`)).toMatchInlineSnapshot(`
      "error[invalid-value]: "subdr" is not known in the query of a repository
        at Dockerfile:2:5
        1 | FROM scratch
      > 2 | ADD SERVER/app.git?subdr=x /
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        expected: ref, branch, tag, subdir, checksum, commit, keep-git-dir, submodules, mtime, fetch-by-commit
        did you mean subdir?
        see docs/errors.md#invalid-value
      exit code 1
      "
    `);
    expect(await failure(world, `${app.url}#--upload-pack=x`)).toMatchInlineSnapshot(`
      "error[invalid-value]: "--upload-pack=x" cannot be the name of a ref
        at Dockerfile:2:5
        1 | FROM scratch
      > 2 | ADD SERVER/app.git#--upload-pack=x /
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        expected: a branch, a tag or a commit
        see docs/errors.md#invalid-value
      exit code 1
      "
    `);
    world.write({ Dockerfile: `FROM scratch\nCOPY ${app.url} /\n` });
    expect((await failureOf(world)).replaceAll(server.url, 'SERVER')).toContain(
      'error[invalid-value]: COPY takes no URL and no git repository\n',
    );
  });

  test('git is not installed', async ({ world }) => {
    world.write({ Dockerfile: `FROM scratch\nADD ${app.url} /\n` });
    const { exitCode, stderr } = await world.run(['build', '.'], { env: { PATH: '/nowhere' } });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'error[fetch-failed]: git is not installed, and a git repository is to be fetched\n  at Dockerfile:2:1\n',
    );
    expect(stderr).toContain('  hint: apt-get install git\n');
  });
});
