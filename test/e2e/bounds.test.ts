import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { encodeTarHeader } from '@caisson/layer';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { bareEnvironment, CAISSON } from '../rig/caisson.ts';
import { failureOf } from '../rig/failure-of.ts';
import { eventually } from '../rig/leftovers.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const MEMBER = 16 << 20;

/** A gzip of a tar with a file of zeros, which takes a thousandth of it. */
function bomb(members: number): Uint8Array {
  const header = encodeTarHeader({
    name: 'zeros',
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: members * MEMBER,
    mtime: { seconds: 0, nanoseconds: 0 },
  });
  const zeros = gzipSync(Buffer.alloc(MEMBER));
  return Buffer.concat([gzipSync(header), ...Array.from({ length: members }, () => zeros)]);
}

/** The names of what a build has under way. */
function unfinished(world: World): string[] {
  const tmp = join(world.store, 'tmp');
  return readdirSync(tmp).flatMap((id) => readdirSync(join(tmp, id)));
}

/** Builds, and ends that with SIGINT as soon as something of a kind is under way. @returns how it ended */
async function interrupted(world: World, kind: string, args: readonly string[] = ['.']) {
  const child = execa(process.execPath, [CAISSON, 'build', ...args], {
    cwd: world.context,
    env: bareEnvironment(world.store),
    extendEnv: false,
    reject: false,
  });
  const isUnderWay = (): boolean => {
    try {
      return unfinished(world).some((name) => name.startsWith(kind));
    } catch {
      return false;
    }
  };
  expect(await eventually(isUnderWay)).toBe(true);
  const begun = performance.now();
  child.kill('SIGINT');
  const { exitCode } = await child;
  return { exitCode, took: performance.now() - begun, left: readdirSync(join(world.store, 'tmp')) };
}

describe.skipIf(lacks('root'))('an archive that is far larger than it looks', () => {
  test('is refused when it is larger than what is free, and leaves nothing', async ({ world }) => {
    const small = join(world.folder, 'small');
    mkdirSync(small);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'small', small]);
    try {
      world.write({ 'big.tgz': bomb(4), Dockerfile: 'FROM scratch\nADD big.tgz /\n' });
      const options = { root: join(small, 'store') };
      const said = await failureOf(world, ['build', '.'], options);
      expect(said.replace(/\d+ MiB/, 'N MiB')).toMatchInlineSnapshot(`
        "error[no-space]: the archive big.tgz is larger than the space that is left on the disk
          at Dockerfile:2:1
          1 | FROM scratch
        > 2 | ADD big.tgz /
            | ^^^^^^^^^^^^^
          expected: at most N MiB when it is unpacked
          hint: caisson prune frees what no image needs; CAISSON_ROOT names another folder for the store
          see docs/errors.md#no-space
        exit code 1
        "
      `);
      expect(readdirSync(join(options.root, 'tmp'))).toEqual([]);
      const asContext = await world.run(['build', 'big.tgz'], options);
      expect(asContext.stderr).toContain('error[no-space]: the archive big.tgz is larger than the space');
    } finally {
      await execa('umount', [small]);
    }
  });

  test('ends at once with the build', async ({ world }) => {
    world.write({ 'big.tgz': bomb(128), Dockerfile: 'FROM scratch\nADD big.tgz /\n' });
    const ended = await interrupted(world, 'archive');
    expect(ended).toMatchObject({ exitCode: 130, left: [] });
    expect(ended.took).toBeLessThan(1000);
    const asContext = await interrupted(world, 'context', ['big.tgz']);
    expect(asContext).toMatchObject({ exitCode: 130, left: [] });
    expect(asContext.took).toBeLessThan(1000);
  });
});

describe.skipIf(lacks('root'))('a source without an end', () => {
  let server: Server;
  let url = '';

  beforeAll(async () => {
    server = createServer((_request, response) => {
      response.on('error', () => {}); // the client goes away
      const line = Buffer.alloc(1 << 20, '# for ever\n');
      Readable.from(
        (function* () {
          for (;;) yield line;
        })(),
      ).pipe(response);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/file`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('is no Dockerfile', async ({ world }) => {
    world.write({ a: 'a\n' });
    expect((await failureOf(world, ['build', '-f', url, '.'])).replaceAll(url, 'URL')).toMatchInlineSnapshot(`
      "error[no-dockerfile]: URL is larger than 16 MiB
        expected: a Dockerfile
        see docs/errors.md#no-dockerfile
      exit code 2
      "
    `);
    const yes = await execa(`yes '# for ever' | ${process.execPath} ${CAISSON} build -f - .`, {
      shell: true,
      cwd: world.context,
      env: bareEnvironment(world.store),
      extendEnv: false,
      reject: false,
    });
    expect(yes.stderr).toMatchInlineSnapshot(`
      "error[no-dockerfile]: the Dockerfile is larger than 16 MiB
        expected: a Dockerfile
        see docs/errors.md#no-dockerfile"
    `);
    writeFileSync(join(world.context, 'Dockerfile'), Buffer.alloc((16 << 20) + 1, '# x\n'));
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[no-dockerfile]: Dockerfile is larger than 16 MiB
        expected: a Dockerfile
        see docs/errors.md#no-dockerfile
      exit code 2
      "
    `);
    expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
  });

  test('ends at once with the build', async ({ world }) => {
    world.write({ Dockerfile: `FROM scratch\nADD ${url} /\n` });
    const ended = await interrupted(world, 'blob');
    expect(ended).toMatchObject({ exitCode: 130, left: [] });
    expect(ended.took).toBeLessThan(1000);
  });
});
