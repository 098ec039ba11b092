import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { bareEnvironment, CAISSON } from '../rig/caisson.ts';
import { failureOf } from '../rig/failure-of.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

/** How many steps the cache had, and how many ran. */
async function stepsOf(world: World, args: readonly string[] = [], env = {}): Promise<string> {
  const { stderr } = await world.ok(['build', '-t', 'app', ...args, '.'], { env });
  return /(\d+) steps? cached, (\d+) ran\n$/.exec(stderr)?.slice(1).join('/') ?? stderr;
}

const IN = { 'in/a.txt': 'one\n', 'in/b.txt': 'one\n', 'in/sub/c': 'c\n' };

interface Row {
  /** What is changed. */
  readonly what: string;
  readonly dockerfile: string;
  readonly change: (world: World, at: (path: string) => string) => void;
  /** How many steps are cached, and how many run: `1/2`. */
  readonly steps: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const ofConfig = (text: string): string =>
  `FROM busybox\nLABEL a=${text}\nEXPOSE ${text}\nCMD ["${text}"]\nRUN echo 1 > /1\n`;
const COPY = 'FROM busybox\nCOPY in /in\n';
const to = (dockerfile: string) => (world: World) => world.write({ Dockerfile: dockerfile });

/** What a step depends on, each in one row: taking the cached result would be wrong. */
const MATTERS: readonly Row[] = [
  {
    what: 'the mode of a file',
    dockerfile: COPY,
    change: (_, at) => chmodSync(at('in/a.txt'), 0o755),
    steps: '0/1',
  },
  {
    what: 'the mode of a folder in a folder',
    dockerfile: COPY,
    change: (_, at) => chmodSync(at('in/sub'), 0o700),
    steps: '0/1',
  },
  {
    what: 'where a link leads',
    dockerfile: COPY,
    change: (_, at) => {
      rmSync(at('in/link'));
      symlinkSync('b.txt', at('in/link'));
    },
    steps: '0/1',
  },
  {
    what: 'a link in place of an equal file',
    dockerfile: COPY,
    change: (_, at) => {
      rmSync(at('in/a.txt'));
      symlinkSync('b.txt', at('in/a.txt'));
    },
    steps: '0/1',
  },
  {
    what: 'the name of a file that a wildcard finds',
    dockerfile: 'FROM busybox\nCOPY in/*.txt /in/\n',
    change: (_, at) => renameSync(at('in/a.txt'), at('in/z.txt')),
    steps: '0/1',
  },
  { what: 'a deleted file', dockerfile: COPY, change: (_, at) => rmSync(at('in/a.txt')), steps: '0/1' },
  { what: 'a new empty folder', dockerfile: COPY, change: (_, at) => mkdirSync(at('in/new')), steps: '0/1' },
  {
    what: 'two equal files that become one with two names',
    dockerfile: COPY,
    change: (_, at) => {
      rmSync(at('in/b.txt'));
      linkSync(at('in/a.txt'), at('in/b.txt'));
    },
    steps: '0/1',
  },
  {
    what: 'the bytes of a file that keeps its size and its time',
    dockerfile: COPY,
    change: (world, at) => {
      const { atime, mtime } = lstatSync(at('in/a.txt'));
      world.write({ 'in/a.txt': 'two\n' });
      utimesSync(at('in/a.txt'), atime, mtime);
    },
    steps: '0/1',
  },
  {
    what: 'what .dockerignore hides',
    dockerfile: COPY,
    change: (world) => world.write({ '.dockerignore': 'in/b.txt\n' }),
    steps: '0/1',
  },
  {
    what: 'the owner of a file of a stage',
    dockerfile: 'FROM busybox AS a\nRUN echo 1 > /f; chown 5:6 /f\nFROM busybox\nCOPY --from=a /f /f\n',
    change: to('FROM busybox AS a\nRUN echo 1 > /f; chown 5:7 /f\nFROM busybox\nCOPY --from=a /f /f\n'),
    steps: '0/2',
  },
  {
    what: 'an ARG that is used late',
    dockerfile: 'FROM busybox\nARG A\nRUN echo first\nRUN echo $A > /a\n',
    change: () => {},
    args: ['--build-arg', 'A=2'],
    steps: '0/2',
  },
  {
    what: 'the order of ENV',
    dockerfile: 'FROM busybox\nENV A=1 B=2\nRUN env\n',
    change: to('FROM busybox\nENV B=2 A=1\nRUN env\n'),
    steps: '0/1',
  },
  {
    what: 'the working folder of a RUN',
    dockerfile: 'FROM busybox\nWORKDIR /bin\nRUN pwd\n',
    change: to('FROM busybox\nWORKDIR /etc\nRUN pwd\n'),
    steps: '0/2',
  },
  {
    what: 'the user of a RUN',
    dockerfile: 'FROM busybox\nUSER nobody\nRUN id\n',
    change: to('FROM busybox\nUSER daemon\nRUN id\n'),
    steps: '0/1',
  },
  {
    what: 'the shell of a RUN',
    dockerfile: 'FROM busybox\nSHELL ["/bin/sh", "-c"]\nRUN echo 1\n',
    change: to('FROM busybox\nSHELL ["/bin/sh", "-ec"]\nRUN echo 1\n'),
    steps: '0/1',
  },
  {
    what: 'the base of one of two stages with the same text',
    dockerfile:
      'FROM busybox AS other\nRUN echo > /other\nFROM busybox AS a\nRUN ls / > /f\nFROM busybox AS b\nRUN ls / > /f\nFROM scratch\nCOPY --from=a /f /a\nCOPY --from=b /f /b\n',
    change: to(
      'FROM busybox AS other\nRUN echo > /other\nFROM busybox AS a\nRUN ls / > /f\nFROM other AS b\nRUN ls / > /f\nFROM scratch\nCOPY --from=a /f /a\nCOPY --from=b /f /b\n',
    ),
    // The RUN of a and the first COPY are cached; what the base adds, the other RUN and its COPY are not.
    steps: '2/3',
  },
  {
    what: 'SOURCE_DATE_EPOCH',
    dockerfile: `${COPY}RUN echo 1 > /1\n`,
    change: () => {},
    env: { SOURCE_DATE_EPOCH: '1600000001' },
    steps: '0/2',
  },
];

/** What a step does not depend on. */
const DOES_NOT_MATTER: readonly Row[] = [
  {
    what: 'the owner of a file of the context',
    dockerfile: COPY,
    change: (_, at) => chownSync(at('in/a.txt'), 1234, 1234),
    steps: '1/0',
  },
  {
    what: 'the inode of a file, and its times',
    dockerfile: COPY,
    change: (_, at) => {
      copyFileSync(at('in/a.txt'), at('in/new'));
      renameSync(at('in/new'), at('in/a.txt'));
    },
    steps: '1/0',
  },
  {
    what: 'the time of a folder',
    dockerfile: COPY,
    change: (_, at) => utimesSync(at('in/sub'), 1, 1),
    steps: '1/0',
  },
  {
    what: 'a file that is hidden',
    dockerfile: COPY,
    change: (world) => world.write({ 'in/hidden': '2\n' }),
    steps: '1/0',
  },
  {
    what: 'a LABEL, EXPOSE or CMD before a RUN',
    dockerfile: ofConfig('1'),
    change: to(ofConfig('2')),
    steps: '1/0',
  },
  {
    what: 'an ARG that is not declared yet',
    dockerfile: 'FROM busybox\nRUN echo 1 > /1\nARG A\n',
    change: () => {},
    args: ['--build-arg', 'A=2'],
    steps: '1/0',
  },
];

async function checkRow(world: World, { dockerfile, change, steps, args, env }: Row): Promise<void> {
  const at = (path: string): string => join(world.context, path);
  world.write({ Dockerfile: dockerfile, ...IN, 'in/hidden': '1\n', '.dockerignore': 'in/hidden\n' });
  symlinkSync('a.txt', at('in/link'));
  await world.build([], { env: { SOURCE_DATE_EPOCH: '' } });
  change(world, at);
  expect(await stepsOf(world, args, env)).toBe(steps);
  // And what it gave is found again.
  expect(await stepsOf(world, args, env)).toMatch(/\/0$/);
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('keys', () => {
  test.for(MATTERS)('depend on $what', (row, { world }) => checkRow(world, row));
  test.for(DOES_NOT_MATTER)('do not depend on $what', (row, { world }) => checkRow(world, row));

  test('do not depend on attributes that the host gives to files of the context', async ({ world, skip }) => {
    skip(lacks('setfattr'), 'setfattr is not installed');
    world.write({ Dockerfile: COPY, ...IN });
    const first = await world.build();
    const path = join(world.context, 'in/a.txt');
    const attributes = ['-n', 'security.selinux', '-v', 'system_u:object_r:user_home_t:s0', path];
    await execa('setfattr', attributes);
    await execa('setfattr', ['-n', 'user.note', '-v', 'mine', path]);
    expect(await stepsOf(world)).toBe('1/0');
    // As with docker, they are not in the image of a cold build either.
    const env = { SOURCE_DATE_EPOCH: '1600000000' };
    const cold = await world.build([], { env, root: `${world.store}-2` });
    await execa('setfattr', ['-x', 'user.note', path]);
    expect(await world.build([], { env, root: `${world.store}-3` })).toBe(cold);
    expect(first).toMatch(/^sha256:/);
  });

  test('depend on which name a base image goes by, not on that it does', async ({ world }) => {
    world.write({ Dockerfile: 'FROM base\nRUN ls / > /f\n' });
    const base = (text: string) =>
      world.ok(['build', '-t', 'base', '-'], { input: `FROM busybox\nRUN echo ${text} > /base\n` });
    await base('one');
    const first = await world.build();
    await base('two');
    expect(await stepsOf(world)).toBe('0/1');
    await base('one');
    expect(await world.build()).toBe(first);
  });

  test('an edited LABEL, EXPOSE or CMD before a RUN is in the image, though nothing runs', async ({
    world,
  }) => {
    world.write({ Dockerfile: ofConfig('1') });
    await world.build();
    world.write({ Dockerfile: ofConfig('2') });
    expect(await stepsOf(world)).toBe('1/0');
    const image: unknown = JSON.parse((await world.ok(['inspect', 'app'])).stdout);
    expect(image).toMatchObject([
      {
        Config: { Labels: { a: '2' }, Cmd: ['2'], ExposedPorts: { '2/tcp': {} } },
      },
    ]);
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('two machines', () => {
  const FILES = {
    Dockerfile:
      'FROM busybox\nWORKDIR /w\nCOPY . ./\nRUN stat -c "%a %u:%g %n" * > /modes; umask > /umask; env > /env; date +%Z > /zone; echo *  > /names\nCOPY --chown=7:8 Z ä /copy/\nWORKDIR made\n',
    Z: 'Z\n',
    a: 'a\n',
    ä: 'ä\n',
    'B/file': 'B\n',
  };

  test('with other folders, users, umasks, locales and time zones make the same image', async ({ world }) => {
    world.write(FILES);
    const one = await world.build([], { env: { SOURCE_DATE_EPOCH: '1600000000', TZ: 'UTC', LC_ALL: 'C' } });
    const elsewhere = join(world.folder, 'else', 'where');
    cpSync(world.context, elsewhere, { recursive: true });
    await execa('chown', ['-R', '1234:1234', elsewhere]);
    const { stdout } = await execa(
      'sh',
      ['-c', 'umask 077 && exec "$0" "$@"', process.execPath, CAISSON, 'build', '-q', '.'],
      {
        cwd: elsewhere,
        extendEnv: false,
        env: {
          ...bareEnvironment(`${world.store}-2`),
          SOURCE_DATE_EPOCH: '1600000000',
          TZ: 'Asia/Tokyo',
          LC_ALL: 'sv_SE.UTF-8',
        },
      },
    );
    expect(stdout).toBe(one);
  });

  test('with other umasks at checkout share what --context-modes=normal makes of it', async ({ world }) => {
    world.write({
      ...FILES,
      Dockerfile:
        'FROM busybox\nCOPY . /w/\nCOPY --from=lib . /lib/\nRUN --mount=target=/m stat -c "%a %n" /m/* /lib/* > /modes; cat /modes\n',
      'lib/run': '1\n',
    });
    chmodSync(join(world.context, 'a'), 0o755);
    const lib = ['--build-context', 'lib=lib'];
    const exact = await world.build(lib);
    for (const file of ['Z', 'ä', 'B/file', 'lib/run', 'Dockerfile'])
      chmodSync(join(world.context, file), 0o664);
    chmodSync(join(world.context, 'a'), 0o4775);
    chmodSync(join(world.context, 'B'), 0o2775);
    const { stderr } = await world.ok(['plan', ...lib, '.']);
    expect(stderr).toBe('');
    expect((await world.ok(['plan', ...lib, '.'])).stdout).toContain(
      'will run: B/file: mode 0644 -> 0664; B: mode 0755 -> 02775; Dockerfile: mode 0644 -> 0664; and 4 more\n',
    );
    // What was built from normal modes is found, with and without the option.
    expect(await world.build([...lib, '--context-modes=normal'])).toBe(exact);
    expect(await world.build(lib, { env: { CAISSON_CONTEXT_MODES: 'normal' } })).toBe(exact);
    const cold = await world.ok(['build', '--no-cache', '--context-modes', 'normal', ...lib, '.']);
    expect(cold.stderr.match(/^#3 [\d.]+ \d+ .*$/gm)?.map((line) => line.replace(/^#3 [\d.]+ /, ''))).toEqual(
      ['755 /m/B', '644 /m/Dockerfile', '644 /m/Z', '755 /m/a', '755 /m/lib', '644 /m/ä', '644 /lib/run'],
    );
  });

  test('have the same keys, whatever their versions of Node, from release to release', async ({ world }) => {
    world.write({
      'src/ä': 'one\n',
      'src/deep/Z': 'two\n',
      Dockerfile:
        'FROM scratch\nENV Z=1 A=ü\nCOPY --chown=1:2 --chmod=u=rwX,go=rX src /src/\nCOPY <<E /in\ntext\nE\nWORKDIR /w\nADD --link src/deep /deep\n',
    });
    symlinkSync('deep/Z', join(world.context, 'src/link'));
    for (const path of ['src', 'src/deep']) chmodSync(join(world.context, path), 0o755);
    for (const path of ['src/ä', 'src/deep/Z']) chmodSync(join(world.context, path), 0o644);
    await world.build(['--platform=linux/amd64']);
    const { stdout } = await world.ok(['plan', '--platform=linux/amd64', '--format=json', '.']);
    // A key that is another one, of a step that gives what it gave, is a cache that everybody loses.
    expect(stdout.match(/sha256:[0-9a-f]{64}/g)).toMatchInlineSnapshot(`
      [
        "sha256:034ace858e37494983de9d8654ee2b8fd1bf891123bc45b05f3639376010011b",
        "sha256:073027c2dc174ced33c1a8091384326bb48b3338cf0ee655773ce606c2413c68",
        "sha256:9f216b5ceb11234bb3f901890bd345342c52b0f184e71c8f42452541630d0fe3",
        "sha256:035e09d027e943c1dd3e845f3201c0a947b36e11bcea928e7e987c59b56f91d4",
      ]
    `);
  });

  test('--context-modes is exact or normal', async ({ world }) => {
    world.write(FILES);
    expect(await failureOf(world, ['build', '--context-modes=norml', '.'])).toMatchInlineSnapshot(`
      "error[usage]: --context-modes "norml" is not known
        expected: exact, normal
        did you mean normal?
        see caisson build --help
      exit code 2
      "
    `);
  });
});
