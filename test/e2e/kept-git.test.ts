import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect } from 'vitest';
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
    expect(again.said).toContain('1 steps cached, 0 ran');
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
