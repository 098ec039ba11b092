import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { CAISSON, bareEnvironment } from '../rig/caisson.ts';
import { failureOf } from '../rig/failure-of.ts';
import { startGitServer, type GitRepository, type GitServer } from '../rig/git-server.ts';
import { filesOfTar } from '../rig/image-files.ts';
import { processesWith } from '../rig/leftovers.ts';
import { findTool, lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const FOLDER = fileURLToPath(new URL('../../.caisson/test/git', import.meta.url));

const isPossible = !lacks('root', 'git');
let server: GitServer;

beforeAll(async () => {
  if (isPossible) server = await startGitServer(FOLDER);
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** A git that writes down its arguments before it runs. */
function recordingGit(world: World): { readonly PATH: string; readonly argv: () => string } {
  const folder = join(world.folder, 'bin');
  const log = join(world.folder, 'argv');
  mkdirSync(folder);
  const script = `#!/bin/sh\necho "$@" >> ${log}\nexec ${findTool('git') ?? ''} "$@"\n`;
  writeFileSync(join(folder, 'git'), script, { mode: 0o755 });
  return { PATH: `${folder}:${process.env['PATH'] ?? ''}`, argv: () => readFileSync(log, 'utf8') };
}

/** Builds. @returns the paths of the files in the image */
async function built(world: World, ...args: string[]): Promise<string[]> {
  await world.ok(['build', '-o', 'type=tar,dest=out.tar', ...args]);
  const files = await filesOfTar(readFileSync(join(world.context, 'out.tar')));
  return [...files].flatMap(([path, { type }]) => (type === 'file' ? [path] : [])).toSorted();
}

describe.skipIf(!isPossible)('a git repository as a context', () => {
  let site: GitRepository;
  let commit = '';

  beforeAll(async () => {
    site = await server.repository('site');
    commit = await site.commit({
      Dockerfile: 'FROM scratch\nCOPY . /all/\n',
      '.dockerignore': 'hidden\n',
      hidden: 'x',
      'web/Dockerfile': 'FROM scratch\nCOPY . /web/\n',
      'web/page': 'page\n',
      'other.Dockerfile': 'FROM scratch\nCOPY hidden /all/\n',
    });
  });

  test('is its files without .git, whatever its .dockerignore says', async ({ world }) => {
    const all = ['.dockerignore', 'Dockerfile', 'hidden', 'other.Dockerfile', 'web/Dockerfile', 'web/page'];
    expect(await built(world, site.url)).toEqual(all.map((name) => `all/${name}`));
    expect(await built(world, '-f', 'other.Dockerfile', site.url)).toEqual(['all/hidden']);
    expect(await built(world, `${site.url}#main:web`)).toEqual(['web/Dockerfile', 'web/page']);
    expect(await built(world, `${site.url}?subdir=web&commit=${commit.slice(0, 9)}`)).toHaveLength(2);
    const kept = await built(world, '--build-arg', 'BUILDKIT_CONTEXT_KEEP_GIT_DIR=1', site.url);
    expect(kept).toContain('all/.git/HEAD');
    expect(await built(world, `${site.url}?keep-git-dir`)).toContain('all/.git/HEAD');
    world.write({ Dockerfile: 'FROM scratch\nCOPY --from=site web /\n' });
    expect(await built(world, '--build-context', `site=${site.url}`, '.')).toEqual(['Dockerfile', 'page']);
  });

  test('counts by what is in it: a new commit of other files runs nothing again', async ({ world }) => {
    const docs = await server.repository('docs');
    await docs.commit({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'a\n' });
    const build = async (): Promise<string> => (await world.ok(['build', '-t', 'docs', docs.url])).stderr;
    expect(await build()).toContain('0 steps cached, 1 ran');
    await docs.commit({ b: 'b\n' });
    expect(await build()).toContain('1 step cached, 0 ran');
  });

  test('has no such ref, folder or Dockerfile, or is no repository', async ({ world }) => {
    const said = async (...args: string[]): Promise<string> =>
      (await failureOf(world, ['build', ...args])).replaceAll(server.url, 'SERVER');
    expect(await said(`${site.url}#man`)).toMatchInlineSnapshot(`
      "error[missing-source]: SERVER/site.git has no branch or tag "man"
        did you mean main?
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
    expect(await said(`${site.url}#main:wbe`)).toMatchInlineSnapshot(`
      "error[missing-source]: SERVER/site.git#main has no folder wbe
        expected: a folder of SERVER/site.git, not behind a link
        did you mean web?
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
    expect(await said('-f', 'nothing', site.url)).toMatchInlineSnapshot(`
      "error[no-dockerfile]: there is no Dockerfile nothing in SERVER/site.git
        see docs/errors.md#no-dockerfile
      exit code 2
      "
    `);
    const bare = await server.repository('bare');
    await bare.commit({ a: 'a\n' });
    expect(await said(bare.url)).toMatchInlineSnapshot(`
      "error[no-dockerfile]: there is no Dockerfile in SERVER/bare.git
        hint: -f names a Dockerfile that is called otherwise
        see docs/errors.md#no-dockerfile
      exit code 2
      "
    `);
    expect(await said(`${site.url}?brnch=main`)).toMatchInlineSnapshot(`
      "error[invalid-request]: the build context: "brnch" is not known in the query of a repository
        expected: ref, branch, tag, subdir, checksum, commit, keep-git-dir, submodules, mtime, fetch-by-commit
        did you mean branch?
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
    const linked = await server.repository('dockerfile-out');
    symlinkSync('/etc/hostname', join(linked.work, 'Dockerfile'));
    await linked.commit({});
    expect(await said(linked.url)).toBe(
      'error[no-dockerfile]: Dockerfile is no file of SERVER/dockerfile-out.git\n  see docs/errors.md#no-dockerfile\nexit code 2\n',
    );
    expect(await said(`${server.url}/no.git`)).toMatchInlineSnapshot(`
      "error[fetch-failed]: the git repository SERVER/no.git cannot be fetched
        its last output:
        | fatal: repository 'SERVER/no.git/' not found
        see docs/errors.md#fetch-failed
      exit code 1
      "
    `);
  });
});

describe.skipIf(!isPossible)('credentials for a git repository', () => {
  const BASIC = `Basic ${Buffer.from('x-access-token:t0ken').toString('base64')}`;

  test('are sent to their server alone: in no arguments, layers or messages', async ({ world }) => {
    await using guarded = await startGitServer(FOLDER, { authorization: BASIC });
    const secret = await guarded.repository('secret');
    await secret.commit({ Dockerfile: 'FROM scratch\nCOPY . /\n', a: 'a\n' });
    const { host } = new URL(guarded.url);
    const { PATH, argv } = recordingGit(world);
    const env = { T: 't0ken', PATH };
    for (const id of ['GIT_AUTH_TOKEN', `GIT_AUTH_TOKEN.${host}`, 'GIT_AUTH_TOKEN.127.0.0.1']) {
      const { stderr } = await world.ok(['build', '-t', 'x', '--secret', `id=${id},env=T`, secret.url], {
        env,
      });
      expect(stderr).not.toContain('t0ken');
    }
    const withHeader = { env: { ...env, H: BASIC } };
    await world.ok(['build', '--secret', 'id=GIT_AUTH_HEADER,env=H', secret.url], withHeader);
    const inUrl = secret.url.replace('http://', 'http://x-access-token:t0ken@');
    guarded.asked.length = 0;
    const refused = await world.run(['build', inUrl], { env });
    expect(refused.stderr).not.toContain('t0ken');
    expect(guarded.asked.every((line) => !line.includes('t0ken'))).toBe(true);
    const asked = argv();
    expect(asked).toContain(`ls-remote --symref -- ${secret.url} HEAD`);
    expect(asked).not.toContain('t0ken');
    expect(asked).not.toContain(Buffer.from('t0ken').toString('base64').slice(0, 5));
    expect((await execa('grep', ['-r', 't0ken', world.store], { reject: false })).stdout).toBe('');
  });

  test('are missing', async ({ world }) => {
    await using guarded = await startGitServer(FOLDER, { authorization: BASIC });
    const said = await failureOf(world, ['build', `${guarded.url}/secret.git`]);
    expect(said.replaceAll(guarded.url, 'SERVER')).toMatchInlineSnapshot(`
      "error[fetch-failed]: the git repository SERVER/secret.git cannot be fetched
        hint: the secret GIT_AUTH_TOKEN, or GIT_AUTH_TOKEN.HOST, is sent to its server: --secret id=GIT_AUTH_TOKEN,env=NAME
        its last output:
        | fatal: could not read Username for 'SERVER': terminal prompts disabled
        see docs/errors.md#fetch-failed
      exit code 1
      "
    `);
  });

  test('follow no redirect', async ({ world }) => {
    await using target = await startGitServer(FOLDER);
    await using moved = await startGitServer(FOLDER, { redirect: target.url });
    const repository = await target.repository('there');
    await repository.commit({ Dockerfile: 'FROM scratch\nCOPY . /\n' });
    await world.ok(['build', `${moved.url}/there.git`]);
    target.asked.length = 0;
    const args = ['build', '--secret', 'id=GIT_AUTH_TOKEN,env=T', `${moved.url}/there.git`];
    const { exitCode, stderr } = await world.run(args, { env: { T: 't0ken' } });
    expect(exitCode).toBe(1);
    expect(target.asked).toEqual([]);
    expect(stderr.replaceAll(moved.url, 'MOVED').replaceAll(target.url, 'TARGET')).toMatchInlineSnapshot(`
      "error[fetch-failed]: the git repository MOVED/there.git cannot be fetched
        hint: with credentials no redirect is followed: name the address that it leads to
        its last output:
        | fatal: unable to access 'MOVED/there.git/': The requested URL returned error: 302
        see docs/errors.md#fetch-failed
      "
    `);
  });
});

/** An ssh that writes down what it was asked, and runs the command here. */
function fakeSsh(world: World): { readonly PATH: string; readonly log: string } {
  const folder = join(world.folder, 'ssh');
  const log = join(world.folder, 'ssh.log');
  mkdirSync(folder);
  const script = `#!/bin/sh\necho "$SSH_AUTH_SOCK $@" >> ${log}\nfor last; do :; done\nexec sh -c "$last"\n`;
  writeFileSync(join(folder, 'ssh'), script, { mode: 0o755 });
  return { PATH: `${folder}:${process.env['PATH'] ?? ''}`, log };
}

describe.skipIf(!isPossible)('a git repository that ssh leads to', () => {
  test('is asked without a question to the user, with the agent of the build', async ({ world }) => {
    const site = await server.repository('by-ssh');
    await site.commit({ Dockerfile: 'FROM scratch\nCOPY . /\n', a: 'a\n' });
    const { PATH, log } = fakeSsh(world);
    const env = { PATH, SSH_AUTH_SOCK: '/the/users' };
    await world.ok(['build', `git@example.com:${site.folder}`], { env });
    await world.ok(['build', `ssh://git@example.com:2222${site.folder}#main`], { env });
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(lines[0]).toMatch(/^\/the\/users -o BatchMode=yes .*git@example\.com git-upload-pack '/);
    expect(lines.at(-1)).toMatch(
      /^\/the\/users -o BatchMode=yes .*-p 2222 git@example\.com git-upload-pack '/,
    );
    await using agent = await listening(join(world.folder, 'agent.sock'));
    await world.ok(['build', '--ssh', `default=${agent.path}`, `git@example.com:${site.folder}`], { env });
    expect(readFileSync(log, 'utf8').trim().split('\n').at(-1)).toMatch(new RegExp(`^${agent.path} `));
  });
});

/** A socket that somebody listens at. */
async function listening(path: string): Promise<AsyncDisposable & { readonly path: string }> {
  const socket = createServer(() => {});
  await new Promise<void>((resolve) => {
    socket.listen(path, resolve);
  });
  return { path, [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())) };
}

describe.skipIf(!isPossible)('git', () => {
  test('runs nothing that the user or the repository has configured', async ({ world }) => {
    const hooked = await server.repository('hooked');
    await hooked.commit({
      Dockerfile: 'FROM scratch\nCOPY . /\n',
      '.gitattributes': '* filter=evil\n',
      a: 'a\n',
    });
    const home = join(world.folder, 'home');
    const marker = join(world.folder, 'marker');
    const script = join(home, 'hooks', 'post-checkout');
    mkdirSync(join(home, 'hooks'), { recursive: true });
    writeFileSync(script, `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 });
    writeFileSync(
      join(home, '.gitconfig'),
      `[core]\nhooksPath = ${home}/hooks\nfsmonitor = ${script}\n[filter "evil"]\nsmudge = touch ${marker}; cat\n[credential]\nhelper = !touch ${marker}\n[url "http://127.0.0.1:9/"]\ninsteadOf = ${server.url}/\n`,
    );
    expect(await built(world, hooked.url)).toEqual(['.gitattributes', 'Dockerfile', 'a']);
    expect((await execa('find', [marker], { reject: false })).exitCode).toBe(1);
  });

  test('is given no option by a server that names a branch like one', async ({ world }) => {
    const hostile = await server.repository('hostile');
    const sha = await hostile.commit({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'a\n' });
    writeFileSync(join(hostile.folder, 'refs/heads/--upload-pack=x'), `${sha}\n`);
    writeFileSync(join(hostile.folder, 'HEAD'), 'ref: refs/heads/--upload-pack=x\n');
    const { PATH, argv } = recordingGit(world);
    await world.ok(['build', hostile.url], { env: { PATH } });
    expect(argv()).toContain(' -- ');
    expect(argv()).not.toContain('--upload-pack');
  });

  test('ends with the build', async ({ world }) => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const address = silent.address();
    const url = `git://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/x`;
    const child = execa(process.execPath, [CAISSON, 'build', url], {
      env: bareEnvironment(world.store),
      extendEnv: false,
      reject: false,
    });
    const asked = new Promise((resolve) => {
      silent.once('connection', resolve);
    });
    await asked;
    child.kill('SIGINT');
    expect((await child).exitCode).toBe(130);
    silent.close();
    expect(processesWith(url)).toEqual([]);
  });
});
