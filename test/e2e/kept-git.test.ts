import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { tryLock } from '@caisson/sys';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { bareEnvironment, CAISSON } from '../rig/caisson.ts';
import { startGitServer, type GitRepository, type GitServer } from '../rig/git-server.ts';
import { filesOfTar } from '../rig/image-files.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const FOLDER = fileURLToPath(new URL('../../.caisson/test/git', import.meta.url));
const DOCKERFILE = 'FROM scratch\nCOPY . /app/\n';

const isPossible = !lacks('root', 'git');
let server: GitServer;

beforeAll(async () => {
  if (isPossible) server = await startGitServer(FOLDER);
});
afterAll(() => server?.[Symbol.asyncDispose]());

async function withSubmodule(name: string): Promise<{ parent: GitRepository; module: GitRepository }> {
  const module = await server.repository(`${name}-module`);
  await module.commit({ m: 'm\n' });
  const parent = await server.repository(name);
  await parent.commit({ Dockerfile: DOCKERFILE, a: '1\n', 'text.txt': 'one\ntwo\n' });
  const url = `../${name}-module.git`;
  const allowed = ['-c', 'protocol.file.allow=always'];
  await parent.git(...allowed, 'submodule', '--quiet', 'add', '--name', 'a/b', '--', url, 'vendor/module');
  await parent.commit({ '.gitattributes': '*.txt text eol=crlf\n', a: '2\n' });
  await parent.git('tag', '-a', 'v1.0', '-m', 'a release');
  await parent.publish();
  return { parent, module };
}

/** Builds with `.git`. @returns what it said, and the digests of its files */
async function buildKeeping(
  world: World,
  url: string,
): Promise<{ said: string; files: Map<string, string> }> {
  const keep = ['--build-arg', 'BUILDKIT_CONTEXT_KEEP_GIT_DIR=1'];
  const { stderr } = await world.ok(['build', '-t', 'app', '-o', 'type=tar,dest=out.tar', ...keep, url]);
  const files = await filesOfTar(readFileSync(join(world.context, 'out.tar')));
  const digests = [...files].map(([path, { sha256, mode, type }]): [string, string] => [
    path,
    `${type} ${mode} ${sha256 ?? ''}`,
  ]);
  return { said: stderr, files: new Map(digests) };
}

describe.skipIf(!isPossible)('a .git that is kept', () => {
  test('works as one does, in submodules too', async ({ world }) => {
    const { parent } = await withSubmodule('works');
    await buildKeeping(world, `${parent.url}#v1.0`);
    const image = join(world.folder, 'image');
    mkdirSync(image);
    await execa('tar', ['-xf', join(world.context, 'out.tar'), '-C', image]);
    const git = async (folder: string, ...args: string[]): Promise<string> =>
      (await execa('git', args, { cwd: join(image, 'app', folder) })).stdout;
    expect(await git('', 'status', '--porcelain')).toBe('');
    expect(await git('', 'describe', '--dirty')).toBe('v1.0');
    expect(await git('', 'log', '--format=%s %cs')).toBe('a commit 2001-02-03');
    expect(await git('', 'fsck')).toBe('');
    expect(await git('', 'submodule', 'status')).toMatch(/^ [0-9a-f]{40} vendor\/module \(/);
    expect(await git('vendor/module', 'status', '--porcelain')).toBe('');
    expect(await git('vendor/module', 'fsck')).toBe('');
    expect(await git('', 'config', '--get', 'remote.origin.url')).toBe(parent.url);
  });

  test('is the same at each build of a commit, whatever else its servers got meanwhile', async ({
    world,
  }) => {
    const { parent, module } = await withSubmodule('same');
    const first = await buildKeeping(world, `${parent.url}#v1.0`);
    expect(first.said).toContain('0 steps cached, 1 ran');
    const again = await buildKeeping(world, `${parent.url}#v1.0`);
    expect(again.said).toContain('1 step cached, 0 ran');
    await module.commit({ m: 'later\n' });
    await module.git('branch', '-m', 'trunk');
    await module.publish();
    await execa('git', ['symbolic-ref', 'HEAD', 'refs/heads/trunk'], { cwd: module.folder });
    await parent.git('branch', 'other');
    await parent.commit({ a: '3\n' });
    await world.ok(['prune']);
    expect((await buildKeeping(world, `${parent.url}#v1.0`)).files).toEqual(first.files);
  });

  test('is the same from a server that gives no single commits', async ({ world }) => {
    await using dumb = await startGitServer(FOLDER, { isDumb: true });
    const old = await dumb.repository('old');
    const sha = await old.commit({ Dockerfile: DOCKERFILE, a: '1\n' });
    await old.commit({ a: '2\n' });
    cpSync(old.folder, join(server.folder, 'old.git'), { recursive: true });
    await execa('git', ['update-server-info'], { cwd: old.folder });
    const smart = await buildKeeping(world, `${server.url}/old.git#${sha}`);
    const whole = await buildKeeping(world, `${old.url}#${sha}`);
    smart.files.delete('app/.git/config'); // it says which server
    whole.files.delete('app/.git/config');
    expect(whole.files).toEqual(smart.files);
  });
});

/** The repository that is kept in a store, the only one. */
function keptIn(world: World): string {
  const folder = join(world.store, 'cache-mounts');
  const [name, ...others] = readdirSync(folder).filter((each) => !each.endsWith('.lock'));
  expect(others).toEqual([]);
  return join(folder, name ?? '');
}

function packsOf(repository: string): { readonly path: string; readonly size: number }[] {
  const folder = join(repository, 'objects', 'pack');
  const packs = readdirSync(folder).filter((name) => name.endsWith('.pack'));
  return packs.map((name) => ({ path: join(folder, name), size: statSync(join(folder, name)).size }));
}

describe.skipIf(!isPossible)('what was fetched of a repository', () => {
  test('is kept: only what is new is fetched, and nothing for a commit that is there', async ({ world }) => {
    await using passing = await startGitServer(FOLDER);
    const app = await passing.repository('app');
    const noise = randomBytes(1 << 20).toString('base64');
    const sha = await app.commit({ Dockerfile: DOCKERFILE, noise });
    const build = (url: string): Promise<unknown> => world.ok(['build', '--no-cache', '-t', 'app', url]);
    await build(app.url);
    const [first] = packsOf(keptIn(world));
    expect(first?.size).toBeGreaterThan(1 << 20);
    await app.commit({ a: 'a\n' });
    await build(app.url);
    const [, second] = packsOf(keptIn(world)).toSorted((a, b) => b.size - a.size);
    expect(second?.size).toBeLessThan(1000);
    passing.asked.length = 0;
    await build(`${app.url}#${sha}`);
    expect(passing.asked).toEqual([]);
    await passing[Symbol.asyncDispose]();
    await build(`${app.url}#${sha}`);
    expect((await execa('grep', ['-r', '127.0.0.1', keptIn(world)], { reject: false })).stdout).toBe('');
  });

  test('counts as cache: du shows it, prune removes it', async ({ world }) => {
    const app = await server.repository('counted');
    await app.commit({ Dockerfile: DOCKERFILE });
    await world.ok(['build', '-t', 'app', app.url]);
    expect((await world.ok(['du'])).stdout).toMatch(/^cache mount +1 /m);
    await world.ok(['prune', '--older-than', '1h']);
    expect(keptIn(world)).toMatch(/[0-9a-f]{32}$/);
    await world.ok(['prune']);
    expect(readdirSync(join(world.store, 'cache-mounts'))).toEqual([]);
  });

  test('is used by builds one after the other', async ({ world }) => {
    const app = await server.repository('busy');
    const commits = [await app.commit({ Dockerfile: DOCKERFILE, a: '1\n' }), await app.commit({ a: '2\n' })];
    const builds = [...commits, ...commits, 'main'].map((ref, index) =>
      world.ok(['build', '-t', `app${index}`, `${app.url}#${ref}`]),
    );
    await Promise.all(builds);
    expect((await execa('git', ['fsck'], { cwd: keptIn(world) })).exitCode).toBe(0);
  });

  test('may be damaged, or left in the middle', async ({ world }) => {
    const app = await server.repository('hurt');
    const sha = await app.commit({ Dockerfile: DOCKERFILE, a: '1\n' });
    const build = (ref: string): Promise<unknown> =>
      world.ok(['build', '--no-cache', '-t', 'app', `${app.url}#${ref}`]);
    await build(sha);
    const kept = keptIn(world);
    writeFileSync(join(kept, 'unfinished'), '');
    writeFileSync(join(kept, 'shallow.lock'), '');
    writeFileSync(join(kept, 'objects/pack/tmp_pack_x'), 'x');
    await app.commit({ a: '2\n' });
    await build('main');
    expect(readdirSync(join(kept, 'objects/pack'))).not.toContain('tmp_pack_x');
    for (const { path } of packsOf(kept)) {
      chmodSync(path, 0o600);
      writeFileSync(path, 'nothing');
    }
    await build(sha);
    await build('main');
    await build(sha);
    expect((await execa('git', ['fsck'], { cwd: keptIn(world) })).exitCode).toBe(0);
  });

  test('is waited for, until the build is ended', async ({ world }) => {
    const app = await server.repository('held');
    const sha = await app.commit({ Dockerfile: DOCKERFILE });
    await world.ok(['build', `${app.url}#${sha}`]);
    const lock = openSync(`${keptIn(world)}.lock`, 'r+');
    expect(tryLock(lock, 'exclusive')).toBe(true);
    const waiting = execa(process.execPath, [CAISSON, 'build', `${app.url}#${sha}`], {
      env: bareEnvironment(world.store),
      extendEnv: false,
      reject: false,
    });
    expect(await Promise.race([waiting, sleep(1500, 'it waits')])).toBe('it waits');
    const begun = performance.now();
    waiting.kill('SIGINT');
    expect((await waiting).exitCode).toBe(130);
    expect(performance.now() - begun).toBeLessThan(1000);
    closeSync(lock);
  });
});
