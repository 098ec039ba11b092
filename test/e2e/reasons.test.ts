import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const APP = {
  Dockerfile: `FROM busybox AS build
ARG VERSION=1
ENV MODE=fast
COPY package.json src ./app/
RUN echo $VERSION > /version
FROM busybox
COPY --from=build /version /
RUN --mount=type=bind,source=src,target=/src cat /src/* > /all
`,
  'package.json': '{}\n',
  'src/a.ts': 'a\n',
  'src/b.ts': 'b\n',
};

const version = (value: number): string => `FROM busybox\nCOPY file /\nENV V=${value}\nRUN echo $V > /v\n`;

const filesOf = (text: string): Record<string, string> =>
  Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [`in/${name}`, text]));

/** Why steps ran, by number. */
async function reasons(world: World, ...args: readonly string[]): Promise<Record<string, string>> {
  const { stderr } = await world.ok(['build', ...args, '.']);
  const lines = [...stderr.matchAll(/^#(\d+) why: (.*)$/gm)];
  return Object.fromEntries(lines.map(([, id = '', why = '']) => [id, why]));
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('why a step ran', () => {
  test('is said in a line: files, args, the command, the step before', async ({ world }) => {
    world.write(APP);
    const first = 'no earlier record';
    expect(await reasons(world)).toStrictEqual({ 1: first, 2: first, 3: first, 4: first });
    expect(await reasons(world)).toStrictEqual({});

    world.write({ 'src/a.ts': 'edited\n', 'src/c.ts': 'c\n' });
    rmSync(join(world.context, 'src/b.ts'));
    expect(await reasons(world)).toStrictEqual({
      1: 'src/a.ts: content; src/c.ts: new; src/b.ts: gone',
      2: '#1 COPY package.json src ./app/ gave other files',
      4: 'src/a.ts: content; src/c.ts: new; src/b.ts: gone',
    });

    chmodSync(join(world.context, 'package.json'), 0o664);
    expect(await reasons(world)).toMatchObject({ 1: 'package.json: mode 0644 -> 0664' });

    expect(await reasons(world, '--build-arg', 'VERSION=2')).toStrictEqual({
      2: 'ARG VERSION',
      3: 'version: content',
      4: '#3 COPY --from=build /version / gave other files',
    });

    world.write({ Dockerfile: APP.Dockerfile.replace('MODE=fast', 'MODE=slow') });
    expect(await reasons(world)).toStrictEqual({ 2: 'ENV MODE' });

    world.write({ Dockerfile: APP.Dockerfile.replace('RUN echo', 'RUN printf') });
    expect(await reasons(world)).toMatchObject({ 2: 'command' });

    world.write({ Dockerfile: APP.Dockerfile.replace('./app/', './other/') });
    expect(await reasons(world)).toMatchObject({ 1: 'destination' });
  });

  test('is told of the same context where there is one, else of which other', async ({ world }) => {
    const dockerfile = 'FROM busybox\nCOPY file /\n';
    world.write({ Dockerfile: dockerfile, file: '1', 'sub/Dockerfile': dockerfile, 'sub/file': '2' });
    await reasons(world);
    const elsewhere = `file: content (compared with ${world.context})`;
    const { stderr } = await world.ok(['build', 'sub']);
    expect(stderr).toContain(`#1 why: ${elsewhere}\n`);
    const { stdout } = await world.ok(['explain']);
    expect(stdout).toContain(`, of ${world.context}\n`);
    // Another project has other files, or another command.
    world.write({ 'other/Dockerfile': dockerfile.replace('file', 'README'), 'other/README': 'r' });
    expect((await world.ok(['build', 'other'])).stderr).toContain('#1 why: no earlier record\n');
    // It was built last in another folder, and is like neither of the two.
    world.write({ file: '3' });
    expect(await reasons(world)).toStrictEqual({ 1: 'file: content' });
  });

  test('is told of the build before, where an older one is as near', async ({ world }) => {
    for (const [file, value] of [[1, 1] as const, [2, 2] as const, [1, 1] as const]) {
      world.write({ Dockerfile: version(value), file: String(file) });
      await reasons(world);
    }
    world.write({ Dockerfile: version(2) });
    expect(await reasons(world)).toStrictEqual({ 2: 'ENV V' });
  });

  test('names three files, and counts the others', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nCOPY in /in\n', ...filesOf('1') });
    await reasons(world);
    world.write(filesOf('2'));
    expect(await reasons(world)).toStrictEqual({
      1: 'in/a: content; in/b: content; in/c: content; and 2 more',
    });
  });

  test('says that it was asked for, or that the result is gone', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox AS one\nRUN echo 1 > /1\nFROM one AS two\nRUN echo 2 > /2\n' });
    await reasons(world);
    const asked = 'asked for without the cache';
    expect(await reasons(world, '--no-cache')).toStrictEqual({ 1: asked, 2: asked });
    expect(await reasons(world, '--no-cache-filter', 'Two')).toStrictEqual({ 2: asked });
    const { stderr } = await world.ok(['build', '--no-cache-filter', 'tow', '.']);
    expect(stderr).toContain(
      'warning: the build has no stage "tow": --no-cache-filter tow has no effect\n  did you mean two?\n',
    );
    await world.ok(['prune']);
    expect(await reasons(world)).toStrictEqual({ 1: 'evicted', 2: 'evicted' });
  });

  test('knows a base image that moved', async ({ world }) => {
    world.write({ Dockerfile: 'FROM base\nRUN echo 1 > /1\n' });
    const base = (text: string) =>
      world.ok(['build', '-t', 'base', '-'], { input: `FROM busybox\nRUN echo ${text} > /base\n` });
    await base('one');
    await reasons(world);
    await base('two');
    expect(await reasons(world)).toStrictEqual({ 1: 'base image moved' });
  });

  test('is told whole by explain', async ({ world }) => {
    world.write(APP);
    await world.ok(['build', '.']);
    world.write({ 'src/a.ts': 'edited\n' });
    await world.ok(['build', '--build-arg', 'VERSION=2', '.']);
    const { stdout } = await world.ok(['explain']);
    expect(masked(stdout)).toMatchSnapshot('all that ran');
    expect(masked((await world.ok(['explain', 'build 3/3'])).stdout)).toMatchSnapshot('one step');
    const json: unknown = JSON.parse((await world.ok(['explain', '--format', 'json', '2'])).stdout);
    expect(json).toMatchObject({
      steps: [
        {
          id: 2,
          outcome: 'ran',
          reason: {
            kind: 'changed',
            changes: [
              { kind: 'variable', name: 'VERSION', isArg: true, before: '1', after: '2' },
              { kind: 'state', by: { kind: 'step', id: 1 } },
            ],
          },
          record: { op: 'run' },
          than: { keyRecord: { op: 'run' } },
        },
      ],
    });
    const wrong = await world.run(['explain', '9']);
    expect(wrong).toMatchObject({ exitCode: 2 });
    expect(wrong.stderr).toContain(
      'error[usage]: the build has no step "9"\n  expected: 1 to 4, or a name like "build 2/3"\n',
    );
    await world.ok(['build', '--build-arg', 'VERSION=2', '.']);
    expect(masked((await world.ok(['explain'])).stdout)).toBe('build ID, AGE\nno step ran\n');
  });

  test('is there for a step that failed, too', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN true\n' });
    await world.ok(['build', '.']);
    world.write({ Dockerfile: 'FROM busybox\nRUN false\n' });
    expect((await world.run(['build', '.'])).exitCode).toBe(1);
    expect((await world.ok(['explain', '1'])).stdout).toMatch(
      /\n {2}failed, key .*\n.*\n {4}command: .*"true".* -> .*"false"/,
    );
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('caisson plan', () => {
  test('says what would run, and runs nothing', async ({ world }) => {
    world.write(APP);
    expect((await world.ok(['plan'])).stdout).toMatchSnapshot('of an empty store');
    await world.ok(['build', '.']);
    expect(masked((await world.ok(['plan'])).stdout)).toMatchSnapshot('of a full store');
    world.write({ 'src/a.ts': 'edited\n' });
    expect(masked((await world.ok(['plan', '.'])).stdout)).toMatchSnapshot('behind an edit');
    const json: unknown = JSON.parse((await world.ok(['plan', '--format', 'json'])).stdout);
    expect(json).toMatchObject({
      target: 'stage-1',
      steps: [
        { step: { id: 1 }, needs: [], outcome: { kind: 'will-run', reason: { kind: 'changed' } } },
        { step: { id: 2, name: 'build 3/3', line: 5 }, needs: [1], outcome: { kind: 'open', behind: [1] } },
        { step: { id: 3 }, needs: [2], outcome: { kind: 'open', behind: [1] } },
        { step: { id: 4 }, needs: [3], outcome: { kind: 'open', behind: [1] } },
      ],
    });
  });

  test('shows what is wrong as a build does', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nCOPY missing /\n' });
    const planned = await world.run(['plan']);
    const built = await world.run(['build', '-q', '.']);
    expect(planned).toMatchObject({ exitCode: 1, stdout: '' });
    expect(planned.stderr).toBe(built.stderr);
  });
});

/** What differs from run to run. */
function masked(text: string): string {
  return text
    .replaceAll(/sha256:[0-9a-f]{64}/g, 'DIGEST')
    .replaceAll(/^build [0-9a-f]{16}, .*$/gm, 'build ID, AGE')
    .replaceAll(/(compared with DIGEST), .*$/gm, '$1, AGE');
}
