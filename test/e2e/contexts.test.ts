import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect } from 'vitest';
import { gzipSync } from 'node:zlib';
import { packTar } from '../rig/pack-tar.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

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
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('caisson-'));
    await world.ok(['build', '-o', 'out', '-'], { input: tar });
    expect(readdirSync(`${world.context}/out/all`)).toContain('hidden');
    await world.ok(['build', '-f', 'docker/other', '-o', 'out2', '-'], { input: gzipSync(tar) });
    expect(readdirSync(`${world.context}/out2`)).toEqual(['sub']);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('caisson-'))).toEqual(before);
  });

  test.each([
    ['a\0b', 'neither a Dockerfile nor an archive'],
    ['', 'empty'],
  ])('that is %j is refused', async (input, what) => {
    const { makeWorld, removeWorld } = await import('../rig/world.ts');
    const world = makeWorld();
    expect(await world.run(['build', '-'], { input })).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `error[invalid-request]: what came as the build context is ${what}\n  expected: a tar, compressed or not, or a Dockerfile\n`,
    });
    await removeWorld(world);
  });

  test('cannot be both', async ({ world }) => {
    const { exitCode, stderr } = await world.run(['build', '-f', '-', '-']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: 'error[usage]: the Dockerfile and the context cannot both come on the standard input\n',
    });
  });
});
