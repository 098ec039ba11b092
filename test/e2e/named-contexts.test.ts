import { chmodSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { filesOfTar } from '../rig/image-files.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const TAR = ['-o', 'type=tar,dest=out.tar'];

/** Builds, and tells the paths of the image that lie in a folder, with what is in them. */
async function filesIn(
  world: World,
  folder: string,
  args: readonly string[],
): Promise<Record<string, string>> {
  await world.ok(['build', ...TAR, ...args]);
  const files = await filesOfTar(readFileSync(join(world.context, 'out.tar')));
  const found = [...files].filter(([path, { type }]) => path.startsWith(folder) && type === 'file');
  return Object.fromEntries(found.map(([path, { content = '' }]) => [path.slice(folder.length), content]));
}

/** A context `main` and a folder `lib` beside it, which has an ignore file. */
function writeLib(world: World, dockerfile: string): void {
  world.write({
    'main/Dockerfile': dockerfile,
    'main/own': 'own\n',
    'lib/a': 'a\n',
    'lib/sub/b': 'b\n',
    'lib/left-out': 'x\n',
    'lib/.dockerignore': 'left-out\n.dockerignore\n',
  });
}

const LIB = { a: 'a\n', 'sub/b': 'b\n' };

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a context with a name', () => {
  test('is what COPY, mounts and FROM take files from, without what its ignore file names', async ({
    world,
  }) => {
    writeLib(
      world,
      `FROM lib AS based
ENV A=b
COPY own /
FROM busybox
COPY --from=lib . /copied/
COPY --from=lib sub/b /one
RUN --mount=from=lib,target=/lib cp -r /lib /mounted
COPY --from=based / /based/
`,
    );
    const args = ['--build-context', 'lib=lib', 'main'];
    expect(await filesIn(world, 'copied/', args)).toEqual(LIB);
    expect(await filesIn(world, 'mounted/', args)).toEqual(LIB);
    expect(await filesIn(world, 'based/', args)).toEqual({ ...LIB, own: 'own\n' });
    expect(await filesIn(world, 'on', args)).toEqual({ e: 'b\n' });
  });

  test('may be that of a stage in any case, or of an image with its tag as it is written', async ({
    world,
  }) => {
    writeLib(
      world,
      `FROM busybox AS Lib
FROM scratch
COPY --from=Lib a /stage
COPY --from=lib:RC1 a /image
`,
    );
    const args = ['--build-context', 'lib=lib', '--build-context', 'docker.io/library/lib:RC1=lib', 'main'];
    expect(await filesIn(world, '', args)).toEqual({ stage: 'a\n', image: 'a\n' });
    const failed = await failureOf(world, [
      'build',
      '--build-context',
      'lib=lib',
      '--build-context',
      'lib:rc1=lib',
      'main',
    ]);
    expect(failed).toContain('> 4 | COPY --from=lib:RC1 a /image');
  });

  test('that a stage builds on is its first layer', async ({ world }) => {
    writeLib(world, 'FROM lib\nENV A=b\nCOPY own /\n');
    const { stderr } = await world.ok(['build', '-t', 'app', '--build-context', 'lib=lib', 'main']);
    expect(stderr).toMatch(
      /^#1 \[1\/2\] FROM lib\n#1 why: no earlier record\n#1 done .*\n#2 \[2\/2\] COPY own \/\n/,
    );
    const { stdout } = await world.ok(['inspect', 'app']);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        Config: { WorkingDir: '/', Env: [expect.stringMatching(/^PATH=/), 'A=b'] },
      },
    ]);
    const history = await world.ok(['history', '--no-trunc', 'app']);
    expect(history.stdout).toMatch(/COPY own \/ # buildkit .*\n.*ENV A=b .*\n.*FROM lib /);
  });

  test('stands in the place of the stage with that name', async ({ world }) => {
    writeLib(
      world,
      `FROM does/not:exist AS Lib
RUN false
FROM scratch AS last
COPY --from=0 / /number/
COPY --from=LIB / /name/
FROM lib AS child
COPY own /
FROM scratch
COPY --from=last / /
COPY --from=child / /child/
`,
    );
    const args = ['--build-context', 'lib=lib', 'main'];
    expect(await filesIn(world, 'number/', args)).toEqual(LIB);
    expect(await filesIn(world, 'name/', args)).toEqual(LIB);
    expect(await filesIn(world, 'child/', args)).toEqual({ ...LIB, own: 'own\n' });
    expect(await filesIn(world, '', ['--target', 'lib', ...args])).toEqual(LIB);
  });

  test('counts by what is in it: not by its path, its times or what is not taken', async ({ world }) => {
    writeLib(world, 'FROM scratch\nCOPY --from=lib a /\nCOPY --from=lib sub /sub/\n');
    world.write({ 'other/a': 'a\n', 'other/sub/b': 'b\n', 'other/more': 'x\n' });
    const build = (folder: string): Promise<string> =>
      world
        .ok(['build', '-t', 'app', '--build-context', `lib=${folder}`, 'main'])
        .then(({ stderr }) => stderr);
    expect(await build('lib')).toContain('0 steps cached, 2 ran\n');
    utimesSync(join(world.context, 'lib/a'), 5, 5);
    world.write({ 'lib/left-out': 'changed\n' });
    expect(await build('lib')).toContain('2 steps cached, 0 ran\n');
    expect(await build('other')).toContain('2 steps cached, 0 ran\n');
    world.write({ 'lib/sub/b': 'changed\n' });
    expect(await build('lib')).toContain('1 step cached, 1 ran\n');
    chmodSync(join(world.context, 'lib/a'), 0o755);
    expect(await build('lib')).toContain('0 steps cached, 2 ran\n'); // the second stands on the first
  });

  test('may be an image, with all of its config', async ({ world }) => {
    world.write({
      'base/Dockerfile': `FROM busybox
ENV FROM_BASE=1
USER 5
ONBUILD COPY own /triggered
`,
      'main/Dockerfile': 'FROM dep:latest\nCOPY --from=docker.io/library/tool:latest /etc/passwd /names\n',
      'main/own': 'own\n',
    });
    await world.ok(['build', '-t', 'local/base', 'base']);
    const args = [
      '--build-context=dep=docker-image://local/base',
      '--build-context=tool=docker-image://busybox',
    ];
    expect(await filesIn(world, 'triggered', [...args, 'main'])).toEqual({ '': 'own\n' });
    await world.ok(['build', '-t', 'app', ...args, 'main']);
    const { stdout } = await world.ok(['inspect', 'app']);
    expect(stdout).toContain('"User": "5"');
    expect(stdout).toContain('"FROM_BASE=1"');
  });

  test('may be an image layout, by tag or digest, whose layers come into the store', async ({ world }) => {
    world.write({
      'base/Dockerfile': 'FROM busybox\nRUN echo made > /made\n',
      'main/Dockerfile': 'FROM dep\nRUN cat /made > /seen\n',
    });
    await world.ok(['build', '-t', 'local/base:v1', '-o', 'type=oci,dest=layout/', 'base']);
    const index = readFileSync(join(world.context, 'layout/index.json'), 'utf8');
    const digest = /sha256:[0-9a-f]{64}/.exec(index)?.[0] ?? '';
    for (const name of ['layout', 'layout:v1', `layout@${digest}`]) {
      const args = ['--root', join(world.folder, 'second'), 'build', ...TAR];
      await world.ok([...args, '--build-context', `dep=oci-layout://${name}`, 'main']);
      const files = await filesOfTar(readFileSync(join(world.context, 'out.tar')));
      expect(files.get('seen')?.content).toBe('made\n');
    }
    world.write({ 'main/Dockerfile': 'FROM dep\n' });
    const failure = (name: string): Promise<string> =>
      failureOf(world, ['build', '--build-context', `dep=oci-layout://${name}`, 'main']);
    const layout = join(world.context, 'layout');
    expect((await failure('layout:v2')).replaceAll(layout, 'LAYOUT')).toBe(
      `error[no-such-image]: the build context dep: LAYOUT has no image tagged v2
  at Dockerfile:1:6
> 1 | FROM dep
    |      ^^^
  expected: one of v1
  see docs/errors.md#no-such-image
exit code 1
`,
    );
  });

  test('may be nothing, and cannot be scratch or context', async ({ world }) => {
    writeLib(world, 'FROM dep\nCOPY own /\nFROM scratch\nCOPY --from=0 / /\n');
    const args = ['dep=docker-image://scratch', 'scratch=lib', 'lib=lib'].map(
      (each) => `--build-context=${each}`,
    );
    expect(await filesIn(world, '', [...args, 'main'])).toEqual({ own: 'own\n' });
    const { stderr } = await world.ok(['build', ...args, 'main']);
    expect(stderr.split('\n').slice(0, 4)).toEqual([
      'warning: the build context scratch is used nowhere',
      '  hint: scratch cannot be given another meaning',
      'warning: the build context lib is used nowhere',
      '  hint: FROM lib, COPY --from=lib or a stage of that name would use it',
    ]);
  });

  test.for([
    'FROM lib AS a\n',
    'FROM docker.io/library/lib:latest AS a\n',
    'FROM scratch AS Lib\n',
    'FROM scratch AS a\nCOPY --from=LIB . /\n',
    'FROM busybox AS a\nRUN --mount=from=lib,target=/lib true\n',
  ])(
    'is not warned of where only a stage names it that the target does not need: %j',
    async (stage, { world }) => {
      writeLib(world, `${stage}FROM scratch\nCOPY own /\n`);
      const { stderr } = await world.ok(['build', '--build-context=lib=lib', 'main']);
      expect(stderr).not.toContain('is used nowhere');
    },
  );
});

describe.skipIf(lacks('root'))('a context that cannot be', () => {
  test.for([
    [
      'lib=nowhere',
      'invalid-request',
      'the build context lib: there is no folder CONTEXT/nowhere',
      'a folder, an archive, the URL of one, or a git repository',
    ],
    [
      'lib=',
      'invalid-request',
      'the build context lib is empty',
      'a folder, an archive, the URL of one, or a git repository',
    ],
    [
      'lib=docker-image://No',
      'invalid-request',
      'the build context lib: "No": the repository name must be in lower case: "no"',
      'docker-image://NAME[:TAG][@DIGEST]',
    ],
    [
      'lib=foo://x',
      'invalid-request',
      'the build context lib: "foo://x" is of no kind that is known',
      'a folder, docker-image://, oci-layout://, https:// or a git repository',
    ],
    [
      'lib=docker-imge://busybox',
      'invalid-request',
      'the build context lib: "docker-imge://busybox" is of no kind that is known',
      'a folder, docker-image://, oci-layout://, https:// or a git repository\n  did you mean docker-image://busybox?',
    ],
    [
      'lib=https://h/x.git?brnch=x',
      'invalid-request',
      'the build context lib: "brnch" is not known in the query of a repository',
      'ref, branch, tag, subdir, checksum, commit, keep-git-dir, submodules, mtime, fetch-by-commit\n  did you mean branch?',
    ],
    [
      'Lib=x',
      'invalid-request',
      'the name of a build context: "Lib": the repository name must be in lower case: "lib"',
      undefined,
    ],
  ] as const)('%s', async ([given, code, message, expected], { world }) => {
    world.write({ Dockerfile: 'FROM scratch\n' });
    const said = await failureOf(world, ['build', '--build-context', given, '.']);
    expect(said.replaceAll(world.context, 'CONTEXT')).toBe(
      `error[${code}]: ${message}\n${expected === undefined ? '' : `  expected: ${expected}\n`}  see docs/errors.md#${code}\nexit code 2\n`,
    );
  });

  test('has no name, has no such file, or is a layout that is none', async ({ world }) => {
    expect(await world.run(['build', '--build-context', 'lib', '.'])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error[usage]: --build-context "lib" is no context
  expected: NAME=FOLDER, NAME=docker-image://IMAGE, NAME=oci-layout://FOLDER[:TAG] or NAME=URL
  see caisson build --help
`,
    });
    writeLib(world, 'FROM scratch\nCOPY --from=lib left-out /\n');
    expect(await failureOf(world, ['build', '--build-context', 'lib=lib', 'main'])).toBe(
      `error[missing-source]: left-out is left out of the build context lib by an ignore rule
  at Dockerfile:2:17
  1 | FROM scratch
> 2 | COPY --from=lib left-out /
    |                 ^^^^^^^^
  hint: .dockerignore line 1: left-out
  see docs/errors.md#missing-source
exit code 1
`,
    );
    writeFileSync(join(world.context, 'main/Dockerfile'), 'FROM scratch\nCOPY --from=lib sub/c /\n');
    expect(await failureOf(world, ['build', '--build-context', 'lib=lib', 'main'])).toBe(
      `error[missing-source]: the build context lib has no sub/c
  at Dockerfile:2:17
  1 | FROM scratch
> 2 | COPY --from=lib sub/c /
    |                 ^^^^^
  did you mean sub/b?
  see docs/errors.md#missing-source
exit code 1
`,
    );
    const said = await failureOf(world, ['build', '--build-context', 'lib=oci-layout://lib', 'main']);
    expect(said.replaceAll(world.context, 'CONTEXT')).toBe(
      `error[no-such-image]: the build context lib: CONTEXT/lib is no image layout: it has no index.json
  at Dockerfile:2:13
  1 | FROM scratch
> 2 | COPY --from=lib sub/c /
    |             ^^^
  expected: oci-layout://FOLDER[:TAG|@DIGEST]
  see docs/errors.md#no-such-image
exit code 1
`,
    );
  });
});
