import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { CAISSON, bareEnvironment } from '../rig/caisson.ts';
import { checkStore } from '../rig/check-store.ts';
import { filesOfTar } from '../rig/image-files.ts';
import { lacks } from '../rig/tools.ts';
import { LIKE_A_USER } from '../rig/watching.ts';
import { makeWorld, removeWorld, test, type World } from '../rig/world.ts';

const APP = `FROM scratch AS base
COPY --chown=7:8 --chmod=640 file /folder/file
COPY links /folder/
FROM base
COPY other /folder/other
ENV A=b
`;

function writeApp(world: World): void {
  world.write({ Dockerfile: APP, file: 'file\n', other: 'other\n' });
  mkdirSync(join(world.context, 'links'));
  symlinkSync('file', join(world.context, 'links/link'));
}

/** Builds as one that files are closed to as to anybody else. */
async function buildLikeAUser(
  world: World,
  args: readonly string[],
): Promise<Record<'stdout' | 'stderr', string> & { readonly exitCode?: number }> {
  const [program = '', ...words] = LIKE_A_USER;
  return execa(program, [...words, process.execPath, CAISSON, 'build', ...args, '.'], {
    env: bareEnvironment(world.store),
    extendEnv: false,
    cwd: world.context,
    reject: false,
  });
}

describe.skipIf(lacks('root'))('outputs', () => {
  test('the image id is written to a file, or it is said why not', async ({ world }) => {
    writeApp(world);
    const id = await world.build(['-q', '--iidfile', 'id']);
    expect(readFileSync(join(world.context, 'id'), 'utf8')).toBe(id);
    // The folder lets a file be made that has no room for a word.
    symlinkSync('/dev/full', join(world.context, 'full'));
    expect(await world.run(['build', '-q', '--iidfile', 'full', '.'])).toMatchObject({
      exitCode: 1,
      stderr: `error[output]: cannot write the image id to ${world.context}/full: ENOSPC: no space left on device, write\n  see docs/errors.md#output\n`,
    });
  });

  test.each([
    ['-o', 'type=oci,dest=nowhere/x', 'the output /nowhere/x: its folder does not exist'],
    ['-o', 'type=oci,dest=file/x', 'the output /file/x: what should be its folder is a file'],
    ['-o', 'type=oci,dest=file/x/', 'the output /file/x/: what should be its folder is a file'],
    ['-o', 'type=oci,dest=locked/x', 'the output /locked/x: no permission'],
    ['-o', 'type=docker,dest=closed/x', 'the output /closed/x: no permission'],
    ['-o', 'type=tar,dest=links', 'the output /links: it is a folder'],
    ['-o', 'closed/x/y', 'the output /closed/x/y: no permission'],
    ['-o', 'file', 'the output /file: it is a file'],
    ['--iidfile', 'nowhere/x', 'the image id to /nowhere/x: its folder does not exist'],
    ['--iidfile', 'file/x', 'the image id to /file/x: what should be its folder is a file'],
    ['--metadata-file', 'nowhere/x', 'the metadata to /nowhere/x: its folder does not exist'],
    ['--metadata-file', 'closed/x', 'the metadata to /closed/x: no permission'],
    ['--metadata-file', 'links', 'the metadata to /links: it is a folder'],
  ])('%s %s is refused before anything is built', async (option, value, message) => {
    const world = makeWorld();
    writeApp(world);
    mkdirSync(join(world.context, 'closed'), { mode: 0o500 });
    mkdirSync(join(world.context, 'locked'), { mode: 0 });
    const { exitCode, stderr } = await buildLikeAUser(world, [option, value]);
    expect(stderr.replaceAll(world.context, '')).toBe(
      `error[output]: cannot write ${message}\n  see docs/errors.md#output`,
    );
    expect(exitCode).toBe(1);
    await removeWorld(world);
  });

  test.each([
    ['-o', '/proc/caisson/x', 'the output /proc/caisson/x'],
    ['-o', 'type=oci,dest=/proc/caisson/x/', 'the output /proc/caisson/x/'],
    ['-o', 'type=tar,dest=/dev/fd/caisson', 'the output /dev/fd/caisson'],
    ['--iidfile', '/proc/caisson', 'the image id to /proc/caisson'],
    ['--metadata-file', '/sys/caisson', 'the metadata to /sys/caisson'],
  ])(
    '%s %s is refused before anything is built, though root may write everywhere',
    async (option, value, what) => {
      const world = makeWorld();
      writeApp(world);
      const { exitCode, stderr } = await world.run(['build', '-q', option, value, '.']);
      expect(stderr).toBe(
        `error[output]: cannot write ${what}: no file can be made there\n  see docs/errors.md#output\n`,
      );
      expect(exitCode).toBe(1);
      expect(existsSync(world.store)).toBe(false);
      await removeWorld(world);
    },
  );

  test('files may lie in a folder that the build makes', async ({ world }) => {
    writeApp(world);
    const id = await world.build([
      '--output=out/files',
      '--output=type=tar,dest=out/files.tar',
      '--iidfile=out/files/folder/id',
      '--cache-to=type=local,dest=cache',
      '--metadata-file=cache/meta.json',
    ]);
    expect(readFileSync(join(world.context, 'out/files/folder/id'), 'utf8')).toBe(id);
    expect(existsSync(join(world.context, 'out/files.tar'))).toBe(true);
    expect(readFileSync(join(world.context, 'cache/meta.json'), 'utf8')).toContain(id);
  });

  test('a file that is there and can be written needs nothing of its folder', async ({ world }) => {
    writeApp(world);
    mkdirSync(join(world.context, 'closed'), { mode: 0o500 });
    world.write({ 'closed/id': '' });
    symlinkSync('later', join(world.context, 'link'));
    const { stdout } = await buildLikeAUser(world, ['-q', '--iidfile=closed/id', '--metadata-file=link']);
    expect(readFileSync(join(world.context, 'closed/id'), 'utf8')).toBe(stdout);
    expect(readFileSync(join(world.context, 'later'), 'utf8')).toContain(stdout);
  });

  test('a watch looks at them, too', async ({ world }) => {
    writeApp(world);
    const { exitCode, stderr } = await world.run(['watch', '--iidfile', 'nowhere/x', '.']);
    expect(stderr.replaceAll(world.context, '')).toBe(
      'error[output]: cannot write the image id to /nowhere/x: its folder does not exist\n  see docs/errors.md#output\n',
    );
    expect(exitCode).toBe(1);
  });

  test('several at once, each whole', async ({ world }) => {
    writeApp(world);
    const { stderr } = await world.ok([
      'build',
      ...[
        'oci,dest=app.oci.tar',
        'oci,dest=layout/',
        'docker,dest=app.docker.tar',
        'tar,dest=app.tar',
      ].flatMap((output) => ['-o', `type=${output}`]),
      '-o',
      'out',
      '-t',
      'app:1',
      '.',
    ]);
    expect(stderr.match(/^wrote \w+ to /gm)).toHaveLength(5);
    const inContext = (name: string): string => join(world.context, name);

    const files = await filesOfTar(readFileSync(inContext('app.tar')));
    expect(files.get('folder/file')).toMatchObject({ mode: '0640', uid: 7, gid: 8, content: 'file\n' });
    expect(files.get('folder/link')).toMatchObject({ type: 'symlink', target: 'file' });
    expect(readFileSync(inContext('out/folder/other'), 'utf8')).toBe('other\n');
    expect(lstatSync(inContext('out/folder/link')).isSymbolicLink()).toBe(true);

    expect([...(await filesOfTar(readFileSync(inContext('app.oci.tar')))).keys()]).toEqual(
      expect.arrayContaining(['oci-layout', 'index.json', 'blobs/sha256']),
    );
    const docker = await filesOfTar(readFileSync(inContext('app.docker.tar')));
    expect(docker.get('manifest.json')?.content).toContain('"RepoTags":["app:1"]');
    expect(readdirSync(inContext('layout')).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout']);
    expect(readdirSync(world.context).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('are written to what is a device or a pipe, and where links lead', async ({ world }) => {
    writeApp(world);
    const inContext = (name: string): string => join(world.context, name);
    await execa('mknod', [inContext('null'), 'c', '1', '3']);
    await execa('mknod', [inContext('full'), 'c', '1', '7']);
    await execa('mkfifo', [inContext('pipe')]);
    symlinkSync('archive', inContext('link'));
    symlinkSync('nowhere/archive', inContext('lost'));
    const read = execa('cat', [inContext('pipe')], { encoding: 'buffer' });
    await world.build(['null', 'pipe', 'link'].flatMap((name) => ['-o', `type=tar,dest=${name}`]));
    const { stdout } = await read;
    expect([...(await filesOfTar(stdout)).keys()]).toContain('folder/file');
    expect(readFileSync(inContext('archive')).equals(stdout)).toBe(true);
    expect(lstatSync(inContext('link')).isSymbolicLink()).toBe(true);
    expect(lstatSync(inContext('null')).isCharacterDevice()).toBe(true);
    expect(lstatSync(inContext('pipe')).isFIFO()).toBe(true);
    for (const [name, reason] of [
      ['full', 'no space left on the disk'],
      ['lost', 'its folder does not exist'],
    ]) {
      const { exitCode, stderr } = await world.run(['build', '-q', '-o', `type=tar,dest=${name}`, '.']);
      expect({ exitCode, stderr: stderr.replaceAll(world.context, '') }).toEqual({
        exitCode: 1,
        stderr: `error[output]: cannot write the output /${name}: ${reason}\n  see docs/errors.md#output\n`,
      });
    }
    expect(lstatSync(inContext('full')).isCharacterDevice()).toBe(true);
    expect(readdirSync(world.context).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('a pipe that nobody reads is waited for until somebody ends it', async ({ world }) => {
    writeApp(world);
    await execa('mkfifo', [join(world.context, 'pipe')]);
    const { exitCode } = await execa(
      'timeout',
      ['-s', 'INT', '3', process.execPath, CAISSON, 'build', '-o', 'type=tar,dest=pipe', '.'],
      { env: bareEnvironment(world.store), extendEnv: false, cwd: world.context, reject: false },
    );
    expect(exitCode).toBe(124); // of timeout(1), which it gave a reason to say so
    expect(checkStore(world.store)).toEqual([]);
  });

  test('a file that becomes too large for the shell', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY big /\n', big: Buffer.alloc(3 << 20, 'x') });
    await world.build();
    const line = `ulimit -f 2000; exec ${process.execPath} ${CAISSON} build -q -o type=tar,dest=app.tar .`;
    const { exitCode, stderr } = await execa('bash', ['-c', line], {
      env: bareEnvironment(world.store),
      extendEnv: false,
      cwd: world.context,
      reject: false,
    });
    expect({ exitCode, stderr: stderr.replaceAll(world.context, '') }).toEqual({
      exitCode: 1,
      stderr:
        'error[output]: cannot write the output /app.tar: it becomes larger than a file may be here\n  see docs/errors.md#output',
    });
    expect(readdirSync(world.context).toSorted()).toEqual(['Dockerfile', 'big']);
  });

  test.skipIf(lacks('skopeo'))('are read by skopeo', async ({ world }) => {
    writeApp(world);
    const id = await world.build([
      '-o',
      'type=oci,dest=app.oci.tar',
      '-o',
      'type=docker,dest=app.docker.tar',
      '-t',
      'app:1',
    ]);
    for (const place of ['oci-archive:app.oci.tar:1', 'docker-archive:app.docker.tar:app:1']) {
      const copied = await execa('skopeo', ['copy', place, 'oci:copied:latest'], {
        cwd: world.context,
        reject: false,
      });
      expect(copied).toMatchObject({ exitCode: 0 });
      const { stdout } = await execa('skopeo', ['inspect', '--config', place], { cwd: world.context });
      expect(stdout).toContain('"A=b"');
    }
    expect(id).toMatch(/^sha256:/);
  });

  test('- is the standard output, with nothing else on it', async ({ world }) => {
    writeApp(world);
    const { stdout } = await execa(process.execPath, [CAISSON, 'build', '-o', '-', '.'], {
      env: bareEnvironment(world.store),
      extendEnv: false,
      cwd: world.context,
      encoding: 'buffer',
    });
    expect((await filesOfTar(stdout)).get('folder/other')?.content).toBe('other\n');
    const twice = await world.run(['build', '-q', '-o', '-', '.']);
    expect(twice.stderr).toBe(
      'error[usage]: only one of -q and -o type=tar,dest=- can write to the standard output\n  see caisson build --help\n',
    );
  });

  test('a reader that goes away is no crash', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY big /\n', big: Buffer.alloc(8 << 20, 'x') });
    const line = `(${process.execPath} ${CAISSON} build -o - . 2>err; echo $? >code) | head -c 1000 | wc -c`;
    const { stdout } = await execa('sh', ['-c', line], {
      env: bareEnvironment(world.store),
      extendEnv: false,
      cwd: world.context,
    });
    expect(stdout.trim()).toBe('1000');
    expect(readFileSync(join(world.context, 'err'), 'utf8')).not.toContain('bug');
    expect(readFileSync(join(world.context, 'code'), 'utf8')).toBe('141\n');
    expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
    expect(checkStore(world.store)).toEqual([]);
  });

  test('a folder that holds something else is left alone', async ({ world }) => {
    writeApp(world);
    world.write({ 'layout/mine': 'mine' });
    const { exitCode, stderr } = await world.run(['build', '-o', 'type=oci,dest=layout/', '.']);
    expect(exitCode).toBe(1);
    expect(stderr.replaceAll(world.context, '')).toContain(
      'error[output]: cannot write the output /layout/: it is a folder that holds something else\n',
    );
    expect(readFileSync(join(world.context, 'layout/mine'), 'utf8')).toBe('mine');
    expect(existsSync(join(world.context, 'layout/index.json'))).toBe(false);
  });

  test('an earlier file stays when the build fails', async ({ world }) => {
    writeApp(world);
    await world.build(['-o', 'type=tar,dest=app.tar']);
    const before = readFileSync(join(world.context, 'app.tar'));
    world.write({ Dockerfile: `${APP}COPY nothing /\n` });
    expect((await world.run(['build', '-o', 'type=tar,dest=app.tar', '.'])).exitCode).toBe(1);
    expect(readFileSync(join(world.context, 'app.tar')).equals(before)).toBe(true);
  });
});
