import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { execa, execaSync } from 'execa';
import { describe, expect } from 'vitest';
import { lacks } from '../rig/tools.ts';
import { becomes, OUT } from '../rig/watched-image.ts';
import { startWatch, withLimit } from '../rig/watching.ts';
import { test, type World } from '../rig/world.ts';

/** Gives a file other content at one moment: one that is written has none, or the first half, for a while. */
function replace(world: World, name: string, content: string): void {
  const whole = join(world.folder, 'whole');
  writeFileSync(whole, content);
  renameSync(whole, join(world.context, name));
}

const changedLines = (said: string): string[] =>
  said.split('\n').filter((line) => line.startsWith('changed: '));

describe.skipIf(lacks('root'))('caisson watch', () => {
  test('says what changed, what ran and why, and what came of it', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY a.txt /\nCOPY src /src\n', 'a.txt': 'a', 'src/b': 'one' });
    await using watch = startWatch(world, ['-t', 'app']);
    await watch.rest();
    world.write({ 'src/b': 'two' });
    const said = (await watch.rest())
      .replaceAll(/sha256:[\da-f]{64}/g, 'sha256:...')
      .replaceAll(/\d+\.\d+ s/g, '0.0 s')
      .replace(/\(.* kB/, '(7 kB');
    expect(said).toBe(`changed: src/b
#1 [2/3] COPY a.txt /
#1 cached
#2 [3/3] COPY src /src
#2 why: src/b: content
#2 done 0.0 s
image sha256:... named app:latest (7 kB, as large as before)
built in 0.0 s: 1 step cached, 1 ran
waiting for changes
`);
    watch.kill('SIGINT');
    expect(await watch.exitCode).toBe(130);
  });

  test('rebuilds nothing for what no step selects, for the same content, and for times', async ({
    world,
  }) => {
    world.write({
      Dockerfile: 'FROM scratch\nCOPY src/*.ts /src/\nCOPY --exclude=*.log docs /docs\n',
      '.dockerignore': 'docs/secret\n',
      'src/a.ts': 'one',
      'docs/a': 'a',
      'docs/secret/key': 'k',
      'node_modules/x/index.js': 'x',
    });
    await using watch = startWatch(world, OUT);
    await watch.rest();
    world.write({
      'src/a.js': 'no step takes it',
      'src/deep/a.ts': 'nor this',
      'README.md': 'nor this',
      'docs/build.log': 'nor this',
      'docs/secret/key': 'nor this',
      'node_modules/x/index.js': 'nor this',
      'node_modules/y/index.js': 'nor this',
    });
    replace(world, 'src/a.ts', 'one');
    utimesSync(join(world.context, 'src/a.ts'), 1, 1);
    renameSync(join(world.context, 'README.md'), join(world.context, 'LIES.md'));
    replace(world, 'docs/a', 'b');
    await becomes(world, { 'src/a.ts': 'one', 'docs/a': 'b' });
    // It names the last of them, or those before: on a slow machine, their build sees the last one, too.
    expect(changedLines(await watch.rest())).toHaveLength(1);
    replace(world, 'src/a.ts', 'two');
    await becomes(world, { 'src/a.ts': 'two', 'docs/a': 'b' });
    expect(changedLines(watch.said)).toHaveLength(2);
  });

  test('sees a mode, a new file that fits a pattern, and one that goes', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY src/*.ts /\n', 'src/a.ts': 'a' });
    await using watch = startWatch(world, OUT);
    await watch.rest();
    chmodSync(join(world.context, 'src/a.ts'), 0o755);
    expect(await watch.rest()).toContain('why: src/a.ts: mode 0644 -> 0755');
    world.write({ 'src/b.ts': 'b' });
    await becomes(world, { 'a.ts': 'a', 'b.ts': 'b' });
    rmSync(join(world.context, 'src/a.ts'));
    await becomes(world, { 'b.ts': 'b' });
  });

  test.each([
    ['in place', (path: string, text: string) => writeFileSync(path, text)],
    [
      'by a new file that takes its name',
      (path: string, text: string) => {
        writeFileSync(`${path}.tmp`, text);
        renameSync(`${path}.tmp`, path);
      },
    ],
    [
      'as vim does',
      (path: string, text: string) => {
        writeFileSync(join(path, '../4913'), '');
        rmSync(join(path, '../4913'));
        renameSync(path, `${path}~`);
        writeFileSync(path, text);
        rmSync(`${path}~`);
      },
    ],
    [
      'as emacs does',
      (path: string, text: string) => {
        symlinkSync('user@host.1', join(path, '../.#file'));
        writeFileSync(join(path, '../#file#'), text);
        renameSync(path, `${path}~`);
        writeFileSync(path, text);
        rmSync(join(path, '../#file#'));
        rmSync(join(path, '../.#file'));
      },
    ],
    [
      'by removing it first',
      (path: string, text: string) => {
        rmSync(path);
        writeFileSync(path, text);
      },
    ],
  ])('an editor that saves %s', async (title, save) => {
    const { makeWorld, removeWorld } = await import('../rig/world.ts');
    const world = makeWorld();
    world.write({ Dockerfile: 'FROM scratch\nCOPY src /src\n', 'src/file': 'zero', 'src/other': 'other' });
    const backup: Record<string, string> = title.includes('emacs') ? { 'src/file~': 'one' } : {};
    await using watch = startWatch(world, OUT);
    await watch.rest();
    for (const text of ['one', 'two']) {
      save(join(world.context, 'src/file'), text);
      const left =
        text === 'two' ? backup : Object.fromEntries(Object.keys(backup).map((name) => [name, 'zero']));
      await becomes(world, { 'src/file': text, 'src/other': 'other', ...left });
    }
    await removeWorld(world);
  });

  test('renames, and folders that go and come', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY src /src\n', 'src/a/one': '1', 'src/b/two': '2' });
    const at = (name: string): string => join(world.context, name);
    await using watch = startWatch(world, OUT);
    await watch.rest();
    renameSync(at('src/a/one'), at('src/a/uno'));
    await becomes(world, { 'src/a/uno': '1', 'src/b/two': '2' });
    renameSync(at('src/a'), at('src/c'));
    await becomes(world, { 'src/c/uno': '1', 'src/b/two': '2' });
    // It is watched by its new name, too.
    world.write({ 'src/c/uno': 'one' });
    await becomes(world, { 'src/c/uno': 'one', 'src/b/two': '2' });
    rmSync(at('src/b'), { recursive: true });
    world.write({ 'src/b/two': 'two', 'src/b/deep/down/three': '3' });
    await becomes(world, { 'src/c/uno': 'one', 'src/b/two': 'two', 'src/b/deep/down/three': '3' });
    world.write({ 'src/b/deep/down/three': 'three' });
    await becomes(world, { 'src/c/uno': 'one', 'src/b/two': 'two', 'src/b/deep/down/three': 'three' });
    // What is moved in has files that nobody saw being made.
    mkdirSync(join(world.folder, 'elsewhere'));
    writeFileSync(join(world.folder, 'elsewhere/four'), '4');
    rmSync(at('src/b'), { recursive: true });
    renameSync(join(world.folder, 'elsewhere'), at('src/d'));
    await becomes(world, { 'src/c/uno': 'one', 'src/d/four': '4' });
  });

  test('links: the context itself, folders in it, and where they lead', async ({ world }) => {
    world.write({
      'one/Dockerfile': 'FROM scratch\nCOPY link /to\nCOPY current/app /app\n',
      'one/real/a': '1',
      'one/v1/app/main': 'v1',
      'one/v2/app/main': 'v2',
    });
    const at = (name: string): string => join(world.context, name);
    symlinkSync('real', at('one/link'));
    symlinkSync('v1', at('one/current'));
    symlinkSync('one', at('ctx'));
    await using watch = startWatch(world, OUT, { context: 'ctx' });
    await watch.rest();
    world.write({ 'one/real/a': '2' });
    await becomes(world, { 'to/a': '2', 'app/main': 'v1' });
    world.write({ 'one/v1/app/main': 'v1.1' });
    await becomes(world, { 'to/a': '2', 'app/main': 'v1.1' });
    symlinkSync('v2', at('one/next'));
    renameSync(at('one/next'), at('one/current'));
    await becomes(world, { 'to/a': '2', 'app/main': 'v2' });
    world.write({ 'one/v2/app/main': 'v2.1' });
    await becomes(world, { 'to/a': '2', 'app/main': 'v2.1' });
    // Another folder by the same name.
    await execa('cp', ['-a', at('one'), at('two')]);
    world.write({ 'two/real/a': '3' });
    symlinkSync('two', at('next'));
    renameSync(at('next'), at('ctx'));
    await becomes(world, { 'to/a': '3', 'app/main': 'v2.1' });
    world.write({ 'two/real/a': '4' });
    await becomes(world, { 'to/a': '4', 'app/main': 'v2.1' });
  });

  test('an edited Dockerfile, ignore file and named context', async ({ world }) => {
    world.write({
      Dockerfile: 'FROM scratch\nCOPY a /\n',
      a: 'a',
      b: 'b',
      'd/x': 'x',
      'd/y': 'y',
    });
    mkdirSync(join(world.folder, 'lib'));
    writeFileSync(join(world.folder, 'lib/l'), 'l');
    await using watch = startWatch(world, [...OUT, '--build-context', 'lib=../lib']);
    await watch.rest();
    world.write({ Dockerfile: 'FROM scratch\nCOPY b /\nCOPY d /d\nCOPY --from=lib l /\n' });
    await becomes(world, { b: 'b', 'd/x': 'x', 'd/y': 'y', l: 'l' });
    world.write({ b: 'B', a: 'A' });
    await becomes(world, { b: 'B', 'd/x': 'x', 'd/y': 'y', l: 'l' });
    writeFileSync(join(world.folder, 'lib/l'), 'L');
    await becomes(world, { b: 'B', 'd/x': 'x', 'd/y': 'y', l: 'L' });
    world.write({ '.dockerignore': 'd/y\n' });
    await becomes(world, { b: 'B', 'd/x': 'x', l: 'L' });
    world.write({ 'Dockerfile.dockerignore': 'd/x\n', 'd/x': 'X', 'd/y': 'Y' });
    await becomes(world, { b: 'B', 'd/y': 'Y', l: 'L' });
    rmSync(join(world.context, 'Dockerfile.dockerignore'));
    await becomes(world, { b: 'B', 'd/x': 'X', l: 'L' });
  });

  test('a failed build waits for the next change, wherever it is', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY a b /\n', a: 'a' });
    await using watch = startWatch(world, OUT);
    expect(await watch.rest()).toContain('error[missing-source]: the build context has no b');
    world.write({ b: 'b' });
    await becomes(world, { a: 'a', b: 'b' });
    await watch.rest();
    world.write({ Dockerfile: 'FROM scratch\nCOPI a b /\n' });
    expect(await watch.rest()).toContain('error[unknown-instruction]');
    // What it built last is what it is to build again.
    world.write({ Dockerfile: 'FROM scratch\nCOPY a b /\n' });
    expect(await watch.rest()).toMatch(
      /^built, with the same result as before, in .* s: 1 step cached, 0 ran$/m,
    );
    rmSync(join(world.context, 'Dockerfile'));
    expect(await watch.rest()).toContain('error[no-dockerfile]: there is no Dockerfile in');
    world.write({ Dockerfile: 'FROM scratch\nCOPY a /\n' });
    await becomes(world, { a: 'a' });
  });

  test('an edit that is undone finds the image from before, and so would a plain build', async ({
    world,
  }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY src /src\nCOPY --link more /\n', 'src/a': 'A', more: 'm' });
    await using watch = startWatch(world, ['-t', 'app', ...OUT]);
    const first = imageIn(await watch.rest());
    world.write({ 'src/a': 'B' });
    const second = imageIn(await watch.rest());
    expect(second).not.toBe(first);
    for (const [content, image] of [
      ['A', first],
      ['B', second],
      ['A', first],
    ] as const) {
      world.write({ 'src/a': content });
      const said = await watch.rest();
      expect(said).toMatch(/^built in .* s: 2 steps cached, 0 ran$/m);
      expect(imageIn(said)).toBe(image);
      await becomes(world, { 'src/a': content, more: 'm' });
      expect(await world.build()).toBe(image);
    }
  });

  test.for([
    ['watch', '--check', '--check'],
    ['watch', '--call=check', '--call=check'],
    ['build --watch', '--check', '--check'],
  ] as const)('%s %s watches nothing', async ([command, flag, named], { world }) => {
    expect(await world.run([...command.split(' '), flag, '.'])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error[usage]: ${named} builds nothing to watch
  expected: caisson build --check
  see caisson ${command.split(' ')[0]} --help
`,
    });
  });

  test('what is no folder cannot be watched', async ({ world }) => {
    const ended = await world.run(['watch', 'https://example.com/app.git']);
    expect(ended).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error[invalid-request]: the build context cannot be watched: https://example.com/app.git
  expected: a folder
  see docs/errors.md#invalid-request
`,
    });
  });

  test('--once ends with what came of the first change', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: '1' });
    await using good = startWatch(world, ['--once']);
    await good.rest();
    world.write({ a: '2' });
    expect(await good.exitCode).toBe(0);
    await using bad = startWatch(world, ['--once']);
    await bad.rest();
    rmSync(join(world.context, 'a'));
    expect(await bad.exitCode).toBe(1);
    world.write({ a: '3' });
    await using command = startWatch(world, ['--once', '--exec', 'exit 7']);
    await command.rest();
    world.write({ a: '4' });
    expect(await command.exitCode).toBe(7);
  });

  test('-q and --iidfile give the id of each new image', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: '1' });
    await using watch = startWatch(world, ['-q', '--iidfile', '../id']);
    await watch.output(/^sha256:[\da-f]{64}\n$/);
    world.write({ a: '2' });
    await watch.output(/^(?:sha256:[\da-f]{64}\n){2}$/);
    await expect
      .poll(() => readFileSync(join(world.folder, 'id'), 'utf8'))
      .toBe(watch.written.trim().split('\n')[1]);
    expect(watch.said).toBe('');
  });

  test('--poll looks at files itself', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY src /src\n', 'src/a': '1' });
    await using watch = startWatch(world, [...OUT, '--poll=0.2']);
    await watch.rest();
    world.write({ 'src/a': '22' });
    await becomes(world, { 'src/a': '22' });
    world.write({ 'src/deep/b': '3' });
    await becomes(world, { 'src/a': '22', 'src/deep/b': '3' });
    expect(watchesOf(watch.pid)).toBe(0);
  });

  test('where the kernel refuses to watch as much, it says so and polls', async ({ world }) => {
    const folders = Object.fromEntries(Array.from({ length: 20 }, (_, number) => [`src/${number}/a`, 'a']));
    world.write({ Dockerfile: 'FROM scratch\nCOPY src /\n', ...folders });
    for (const [limit, value] of [
      ['max_inotify_watches', 10],
      ['max_inotify_instances', 0],
    ] as const) {
      await using watch = startWatch(world, OUT, { through: withLimit(limit, value) });
      expect(await watch.rest())
        .toContain(`warning: the kernel does not watch more files: user.${limit} is ${value}; until it is raised, files are looked at every 1 second
  hint: sysctl user.${limit}=${Math.max(128, value * 8)}`);
      world.write({ 'src/7/a': `changed under ${limit}` });
      await watch.line(/^changed: .*src\/7\/a/);
    }
  });
});

describe.skipIf(lacks('root', 'git'))('caisson watch, of a repository', () => {
  test('a switch to a branch of 5,000 other files', { timeout: 300_000 }, async ({ world }) => {
    // Where it can: on some disks a file takes a millisecond to make, and each branch minutes.
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : world.folder, 'caisson-watch-'));
    const write = (files: Readonly<Record<string, string>>): void => {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(join(folder, name, '..'), { recursive: true });
        writeFileSync(join(folder, name), content);
      }
    };
    const git = (...args: string[]) =>
      execa('git', ['-c', 'user.name=n', '-c', 'user.email=e', ...args], { cwd: folder });
    write({
      Dockerfile: 'FROM scratch\nCOPY . .\n',
      '.dockerignore': '.git\nDockerfile\n.dockerignore\n',
      same: 'same',
    });
    await git('init', '-q', '-b', 'one');
    write(filesOf('one'));
    await git('add', '.');
    await git('commit', '-qm', 'one');
    await git('checkout', '-qb', 'two');
    rmSync(join(folder, 'src'), { recursive: true });
    write(filesOf('two'));
    await git('add', '.');
    await git('commit', '-qm', 'two');
    await using watch = startWatch(world, OUT, { context: folder });
    await watch.rest();
    for (const branch of ['one', 'two']) {
      await git('checkout', '-q', branch);
      await becomes(world, { ...filesOf(branch), same: 'same' });
    }
    // All of it is still watched.
    write({ 'src/49/two-6/4949': 'edited' });
    await becomes(world, { ...filesOf('two'), same: 'same', 'src/49/two-6/4949': 'edited' });
    rmSync(folder, { recursive: true });
  });
});

/** The id of the image that a watch said it built. */
function imageIn(said: string): string {
  return /^image (sha256:[\da-f]{64})/m.exec(said)?.[1] ?? said;
}

/** The files of a branch. */
function filesOf(branch: string): Record<string, string> {
  const paths = Array.from(
    { length: 5000 },
    (_, number) => `src/${number % 50}/${branch}-${number % 7}/${number}`,
  );
  return Object.fromEntries(paths.map((path) => [path, branch]));
}

/** How many inotify watches a process has. */
function watchesOf(pid: number): number {
  const { stdout } = execaSync('sh', [
    '-c',
    `cat /proc/${pid}/fdinfo/* 2>/dev/null | grep -c ^inotify || true`,
  ]);
  return Number(stdout);
}
