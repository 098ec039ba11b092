import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

/** The files of a folder that hold some bytes. */
function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(folder, name);
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true && readFileSync(path).includes(text);
  });
}

async function output(world: World, args: readonly string[] = []): Promise<string> {
  return (await world.ok(['build', '-t', 'app', ...args, '.'])).stderr;
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('secrets', () => {
  const DOCKERFILE = `FROM busybox
RUN --mount=type=secret,id=token,mode=0440,gid=7 --mount=type=secret,id=token,env=TOKEN,target=/t stat -c '%a %u:%g' /run/secrets/token && wc -c < /t && echo \${#TOKEN}
`;

  test('are seen by the step, and by nothing else', async ({ world }) => {
    const secret = 'correct-horse-battery-staple';
    world.write({ Dockerfile: DOCKERFILE, token: secret });
    const said = await output(world, ['--secret', 'id=token,src=token']);
    expect(said).toMatch(/^#1 [\d.]+ 440 0:7$/m);
    expect(said.match(/^#1 [\d.]+ 28$/gm)).toHaveLength(2);
    expect(said).not.toContain(secret);
    expect(filesWith(world.store, secret)).toEqual([]);
    expect((await world.ok(['run', 'app', 'ls', '/'])).stdout).not.toMatch(/^(?:run|t)$/m);
  });

  test('are no reason to run a step again, but one that has changed is told of', async ({ world }) => {
    const [value, another] = ['correct-horse-battery-staple', 'tr0ub4dor-and-three'];
    const build = async (secret: string, ...args: readonly string[]): Promise<string> => {
      world.write({ Dockerfile: DOCKERFILE, token: secret });
      return output(world, ['--secret', 'id=token,src=token', ...args]);
    };
    await build(value);
    expect(await build(value)).toMatch(/^base .*\n#1 .*\n#1 cached\nimage /);
    const said = await build(another);
    expect(said.split('\n').slice(1, -3).join('\n')).toMatchInlineSnapshot(`
      "warning: the secret "token" has changed since this step ran; its cached result is used
        at Dockerfile:2:25
        1 | FROM busybox
      > 2 | RUN --mount=type=secret,id=token,mode=0440,gid=7 --mount=type=secret,id=token,env=TOKEN,target=/t st...
          |                         ^^^^^^^^
        hint: --no-cache-filter stage-0 runs it again
      #1 [2/2] RUN --mount=type=secret,id=token,mode=0440,gid=7 --mount=type=secret,id=token,env=TOKEN,target=/t stat -c '%a %u:%g' /run/secrets/token && wc -c < /t && echo \${#TOKEN}
      #1 cached"
    `);
    expect(said).toMatch(/1 step cached, 0 ran\n$/);
    // Until it has run again: then the new value is the one that is known.
    expect(await build(another, '--no-cache-filter', 'stage-0')).toMatch(/0 steps cached, 1 ran\n$/);
    expect(await build(another)).not.toContain('warning');
    const planned = await world.ok(['plan', '--secret', 'id=token,env=TOKEN', '.'], {
      env: { TOKEN: value },
    });
    expect(planned.stderr).toContain('warning: the secret "token" has changed since this step ran');
    // A secret that is not given is nothing that a cached step asks for.
    expect(await output(world)).not.toContain('warning');
    expect(filesWith(world.store, value)).toEqual([]);
    expect(filesWith(world.store, another)).toEqual([]);
  });

  test('that are not given: nothing, an empty variable, or an error', async ({ world }) => {
    world.write({
      Dockerfile:
        'FROM busybox\nRUN --mount=type=secret,id=a --mount=type=secret,id=a,env=A ls /run/secrets 2>&1; echo "[$A]"\n',
    });
    expect(await output(world)).toMatch(/ ls: \/run\/secrets: No such file or directory\n#1 [\d.]+ \[\]\n/);
    world.write({ Dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=a,required true\n' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[missing-secret]: the secret "a" is required and was not given
        at Dockerfile:2:25
        1 | FROM busybox
      > 2 | RUN --mount=type=secret,id=a,required true
          |                         ^^^^
        hint: --secret id=a,src=FILE or --secret id=a,env=NAME
        see docs/errors.md#missing-secret
      exit code 1
      "
    `);
  });

  test('that cannot be read', async ({ world }) => {
    world.write({ Dockerfile: DOCKERFILE });
    const said = await failureOf(world, ['build', '--secret', 'id=token,src=nowhere', '.']);
    expect(said.replaceAll(world.context, '')).toMatchInlineSnapshot(`
      "error[invalid-request]: the secret "token": there is no file /nowhere
        expected: --secret id=token,src=FILE
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
    expect(await failureOf(world, ['build', '--secret', 'token', '.'])).toMatchInlineSnapshot(`
      "error[usage]: --secret "token" is no secret
        expected: id=NAME[,src=FILE] or id=NAME,env=NAME
        see caisson build --help
      exit code 2
      "
    `);
    expect(await failureOf(world, ['build', '--secret', 'id=token,env=NOT_SET', '.'])).toMatchInlineSnapshot(`
      "error[usage]: --secret "id=token,env=NOT_SET": the variable NOT_SET is not set
        expected: id=NAME[,src=FILE] or id=NAME,env=NAME
        see caisson build --help
      exit code 2
      "
    `);
  });
});

const count = (step: string): string =>
  `RUN --mount=type=cache,target=/cache,id=x echo ${step} >> /cache/log && wc -l < /cache/log\n`;

/** With a command of its own: equal steps of two stages run once. */
const stage = (name: string, sharing: string): string =>
  `FROM busybox AS ${name}\nRUN --mount=type=cache,target=/cache,id=${sharing},sharing=${sharing} test ! -e /cache/busy && touch /cache/busy && sleep 0.5 && rm /cache/busy # ${name}\n`;

const both = (sharing: string): string =>
  `${stage('one', sharing)}${stage('two', sharing)}FROM busybox\nCOPY --from=one /etc /1\nCOPY --from=two /etc /2\n`;

const linked = (source: string): string =>
  `FROM busybox AS seed\nRUN ln -s / /link\nFROM busybox\nRUN --mount=type=cache,target=/c,from=seed,source=${source} cat /c/passwd\n`;

const lock = (id: string): string => `--mount=type=cache,id=${id},target=/${id},sharing=locked`;

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('cache mounts', () => {
  test('outlive builds, and are in no layer', async ({ world }) => {
    world.write({ Dockerfile: `FROM busybox\n${count('a')}` });
    expect(await output(world)).toMatch(/^#1 [\d.]+ 1$/m);
    world.write({ Dockerfile: `FROM busybox\n${count('b')}` });
    expect(await output(world)).toMatch(/^#1 [\d.]+ 2$/m);
    expect((await world.ok(['run', 'app', 'ls', '/'])).stdout).not.toContain('cache');
    // As with docker, --no-cache begins anew.
    expect(await output(world, ['--no-cache'])).toMatch(/^#1 [\d.]+ 1$/m);
    // Once a build: a step after it finds what it left.
    world.write({ Dockerfile: `FROM busybox\n${count('b')}${count('c')}` });
    expect(await output(world, ['--no-cache'])).toMatch(/^#1 [\d.]+ 1$[^]*^#2 [\d.]+ 2$/m);
    expect((await world.ok(['prune'])).stdout).toContain(', 1 cache mount, ');
    world.write({ Dockerfile: `FROM busybox\n${count('c')}` });
    expect(await output(world)).toMatch(/^#1 [\d.]+ 1$/m);
  });

  test('keep what a step that failed left, and begin anew only for the stages that are asked for', async ({
    world,
  }) => {
    world.write({ Dockerfile: `FROM busybox\n${count('a').trim()}; exit 1\n` });
    expect((await world.run(['build', '.'])).stderr).toMatch(/^#1 [\d.]+ 1$/m);
    world.write({ Dockerfile: `FROM busybox\n${count('b')}` });
    expect(await output(world)).toMatch(/^#1 [\d.]+ 2$/m);
    world.write({
      Dockerfile: `FROM busybox AS one\n${count('b')}FROM busybox AS two\nCOPY --from=one /etc /x\n${count('c')}`,
    });
    expect(await output(world)).toMatch(/^#3 [\d.]+ 3$/m);
    // As with docker.
    expect(await output(world, ['--no-cache-filter', 'two'])).toMatch(/^#1 cached$[^]*^#3 [\d.]+ 1$/m);
    expect(await output(world, ['--no-cache-filter', 'one'])).toMatch(/^#1 [\d.]+ 1$[^]*^#3 cached$/m);
  });

  test('begin with the files of a stage or an image, where they are told to', async ({ world }) => {
    const cache = 'RUN --mount=type=cache,target=/c,from=seed,source=/a/b';
    world.write({
      Dockerfile: `FROM busybox AS seed
RUN mkdir -p /a/b && echo one > /a/b/f && chown 5:6 /a/b && chmod 700 /a/b
FROM busybox
${cache},uid=9,mode=0711 stat -c '%a %u:%g' /c; cat /c/*; echo two > /c/g
${cache} cat /c/* && : 2
RUN --mount=type=cache,target=/d,id=/c,from=busybox,source=/etc cat /d/f /d/passwd 2>&1 | head -n 2
`,
    });
    // As with docker, the files come with their owner, and a cache that begins with others is another one.
    const said = (await output(world)).matchAll(/^#\d [\d.]+ (.*)$/gm);
    expect([...said].map(([, line]) => line)).toEqual([
      '700 5:6',
      'one',
      'one',
      'two',
      "cat: can't open '/d/f': No such file or directory",
      'root:x:0:0:root:/root:/bin/sh',
    ]);
    expect(await output(world)).toMatch(/4 steps cached, 0 ran\n$/);
  });

  test('begin with a folder that is there', async ({ world }) => {
    // A link on the way is followed inside the stage, as everywhere.
    world.write({ Dockerfile: linked('/link/etc') });
    expect(await output(world)).toMatch(/^#2 [\d.]+ root:x:0:0:root/m);
    world.write({ Dockerfile: linked('/etc/passwd') });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[missing-source]: /etc/passwd is no folder, and a cache can begin with a folder only
        at Dockerfile:4:44
        3 | FROM busybox
      > 4 | RUN --mount=type=cache,target=/c,from=seed,source=/etc/passwd cat /c/passwd
          |                                            ^^^^^^^^^^^^^^^^^^
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
    world.write({
      Dockerfile: 'FROM busybox\nRUN --mount=type=cache,target=/c,source=/sub true\n',
    });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[invalid-value]: a new cache is empty: it has no /sub
        at Dockerfile:2:34
        1 | FROM busybox
      > 2 | RUN --mount=type=cache,target=/c,source=/sub true
          |                                  ^^^^^^^^^^^
        expected: from=STAGE or from=IMAGE, whose files it begins with
        see docs/errors.md#invalid-value
      exit code 1
      "
    `);
  });

  test('that are locked are not waited for in a circle', async ({ world }) => {
    const twice = lock('p').replace('/p', '/twice');
    world.write({
      Dockerfile: `FROM busybox AS a
RUN ${lock('p')} ${twice} ${lock('q')} touch /p/x && test -e /twice/x && sleep 0.2
FROM busybox AS b
RUN ${lock('q')} ${lock('p')} sleep 0.2
FROM busybox
COPY --from=a /etc /a
COPY --from=b /etc /b
`,
    });
    await world.build();
  });

  test('are used one after another where they are locked', async ({ world }) => {
    for (const sharing of ['locked', 'private']) {
      world.write({ Dockerfile: both(sharing) });
      await world.build();
    }
    world.write({ Dockerfile: both('shared') });
    expect((await world.run(['build', '.'])).exitCode).toBe(1);
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('binds', () => {
  test('count by what they show, not by what lies beside it', async ({ world }) => {
    world.write({
      Dockerfile: 'FROM busybox\nRUN --mount=source=shown,target=/shown cat /shown/a\n',
      'shown/a': '1\n',
      beside: '1',
    });
    await world.build();
    world.write({ beside: '2' });
    expect(await output(world)).toMatch(/1 step cached, 0 ran\n$/);
    world.write({ 'shown/a': '2\n' });
    expect(await output(world)).toMatch(/^#1 [\d.]+ 2$/m);
  });

  test.each([
    'RUN --mount=type=cahce,target=/x true',
    'RUN --mount=type=cache true',
    'RUN --mount=type=tmpfs,target=/x,sharing=locked true',
    'RUN --mount=target=/ true',
    'RUN --mount=type=cache,target=/x,sharing=mine true',
    'RUN --mount=from=$X,target=/x true',
    'RUN --mount=source=nothing,target=/x true',
  ])('%s', async (line) => {
    const { makeWorld, removeWorld } = await import('../rig/world.ts');
    const world = makeWorld();
    world.write({ Dockerfile: `FROM busybox\n${line}\n` });
    expect(await failureOf(world)).toMatchSnapshot();
    await removeWorld(world);
  });
});
