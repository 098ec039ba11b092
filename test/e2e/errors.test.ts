import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('what cannot be built', () => {
  test('no Dockerfile', async ({ world }) => {
    world.write({ dockerfile2: '' });
    expect((await failureOf(world)).replaceAll(world.folder, '')).toMatchInlineSnapshot(`
      "error[no-dockerfile]: there is no Dockerfile in /context
        did you mean -f /context/dockerfile2?
        hint: the last argument is the folder of the context; -f names a Dockerfile that is called otherwise
        see docs/errors.md#no-dockerfile
      exit code 2
      "
    `);
  });

  test('no context', async ({ world }) => {
    expect((await failureOf(world, ['build', 'nowhere'])).replaceAll(world.folder, ''))
      .toMatchInlineSnapshot(`
        "error[invalid-request]: there is no folder /context/nowhere
          expected: a folder, an archive, the URL of one, or a git repository
          see docs/errors.md#invalid-request
        exit code 2
        "
      `);
  });

  test('an empty Dockerfile', async ({ world }) => {
    world.write({ Dockerfile: '# nothing\n' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[empty-file]: the file has no instructions
        at Dockerfile:1:1
      > 1 | # nothing
          | ^
        expected: FROM image
        see docs/errors.md#empty-file
      exit code 1
      "
    `);
  });

  test('several errors at once', async ({ world }) => {
    world.write({
      Dockerfile: 'FROM busybox\nRUM echo\nCOPY --form=x a b\nENV\nEXPOSE http\nCOPY a\n',
    });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[unknown-instruction]: there is no instruction "RUM"
        at Dockerfile:2:1
        1 | FROM busybox
      > 2 | RUM echo
          | ^^^
        did you mean RUN?
        see docs/errors.md#unknown-instruction
      error[unknown-flag]: COPY has no flag --form
        at Dockerfile:3:6
        2 | RUM echo
      > 3 | COPY --form=x a b
          |      ^^^^^^^^
        expected: --from, --chown, --chmod, --exclude, --link, --parents
        did you mean --from?
        see docs/errors.md#unknown-flag
      error[missing-argument]: ENV needs an argument
        at Dockerfile:4:1
        3 | COPY --form=x a b
      > 4 | ENV
          | ^^^
        expected: ENV name=value
        see docs/errors.md#missing-argument
      error[invalid-value]: "http" is no port: a number up to 65535, or a range
        at Dockerfile:5:8
        4 | ENV
      > 5 | EXPOSE http
          |        ^^^^
        expected: port[-port][/tcp|udp|sctp]
        see docs/errors.md#invalid-value
      error[missing-argument]: COPY needs at least one source and a destination
        at Dockerfile:6:6
        5 | EXPOSE http
      > 6 | COPY a
          |      ^
        expected: COPY source... destination
        see docs/errors.md#missing-argument
      exit code 1
      "
    `);
  });

  test('what is not built yet says so', async ({ world }) => {
    world.write({
      Dockerfile: 'FROM busybox\nRUN --security=insecure true\n',
    });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[not-supported]: a step has no more rights than its sandbox: RUN --security=insecure is not possible
        at Dockerfile:2:16
        1 | FROM busybox
      > 2 | RUN --security=insecure true
          |                ^^^^^^^^
        expected: --security=sandbox
        see docs/errors.md#not-supported
      exit code 1
      "
    `);
  });

  test('an unknown stage', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox AS build\nFROM busybox\nCOPY --from=biuld /a /b\n' });
    // What the registry says of the image depends on the network.
    const said = await failureOf(world);
    expect(said).toContain('  at Dockerfile:3:13\n');
    expect(said).toContain('> 3 | COPY --from=biuld /a /b\n    |             ^^^^^\n');
    expect(said).toContain('  did you mean the stage build?\n');
  });

  test('an unknown target', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox AS build\nFROM busybox AS test\n' });
    expect(await failureOf(world, ['build', '--target', 'tset', '.'])).toMatchInlineSnapshot(`
      "error[unknown-target]: Dockerfile has no stage "tset"
        expected: one of build, test
        did you mean test?
        see docs/errors.md#unknown-target
      exit code 2
      "
    `);
  });

  test('a missing source, with the nearest name', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY src/mian.ts /\n', 'src/main.ts': '' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[missing-source]: the build context has no src/mian.ts
        at Dockerfile:2:6
        1 | FROM scratch
      > 2 | COPY src/mian.ts /
          |      ^^^^^^^^^^^
        did you mean src/main.ts?
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
  });

  test('a source that .dockerignore hides', async ({ world }) => {
    world.write({
      Dockerfile: 'FROM scratch\nCOPY secret.txt /\n',
      'secret.txt': '',
      '.dockerignore': '# no secrets\n*.txt\n',
    });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "warning[CopyIgnoredFile]: Attempting to Copy file "secret.txt" that is excluded by .dockerignore
        at Dockerfile:2:6
        1 | FROM scratch
      > 2 | COPY secret.txt /
          |      ^^^^^^^^^^
        hint: line 2 of .dockerignore excludes it: *.txt
        see docs/rules/CopyIgnoredFile.md
      error[missing-source]: secret.txt is left out of the build context by an ignore rule
        at Dockerfile:2:6
        1 | FROM scratch
      > 2 | COPY secret.txt /
          |      ^^^^^^^^^^
        hint: .dockerignore line 2: *.txt
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
  });

  test('a failing RUN', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN echo one && echo two >&2 && exit 3\nRUN true\n' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[step-failed]: RUN echo one && echo two >&2 && exit 3 ended with exit code 3
        at Dockerfile:2:1
        1 | FROM busybox
      > 2 | RUN echo one && echo two >&2 && exit 3
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        its last output:
        | one
        | two
        all of it: STORE/logs/BUILD/1.log
        see docs/errors.md#step-failed
      exit code 1
      "
    `);
  });

  test('a command that is not there', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN ["/nowhere", "x"]\n' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[no-such-command]: the image has no /nowhere
        at Dockerfile:2:1
        1 | FROM busybox
      > 2 | RUN ["/nowhere", "x"]
          | ^^^^^^^^^^^^^^^^^^^^^
        see docs/errors.md#no-such-command
      exit code 1
      "
    `);
  });

  test('a shell that is not there', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nRUN true\n' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[no-such-command]: the image has no /bin/sh
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | RUN true
          | ^^^^^^^^
        hint: an image without a shell needs the exec form: RUN ["/program", "argument"]
        see docs/errors.md#no-such-command
      exit code 1
      "
    `);
  });

  test('a user that is not there', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nUSER ndaemon\nRUN true\n' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[step-not-run]: the image knows no user "ndaemon"
        at Dockerfile:3:1
        2 | USER ndaemon
      > 3 | RUN true
          | ^^^^^^^^
        hint: its users: root, daemon, bin, nobody
        see docs/errors.md#step-not-run
      exit code 1
      "
    `);
  });

  test('a bad reference', async ({ world }) => {
    world.write({ Dockerfile: 'FROM Busybox:latest\n' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[invalid-base]: "Busybox:latest": the repository name must be in lower case: "busybox"
        at Dockerfile:1:6
      > 1 | FROM Busybox:latest
          |      ^^^^^^^^^^^^^^
        see docs/errors.md#invalid-base
      exit code 1
      "
    `);
  });

  test('a name for the image that is none', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\n' });
    expect(await failureOf(world, ['build', '-t', 'UPPER', '.'])).toMatchInlineSnapshot(`
      "error[usage]: --tag "UPPER": the repository name must be in lower case: "upper"
        expected: NAME[:TAG], for example registry.example.com/app:1.2
        did you mean upper?
        see caisson build --help
      exit code 2
      "
    `);
  });

  test('a registry that nobody listens at', async ({ world }) => {
    world.write({ Dockerfile: 'FROM 127.0.0.1:9/nothing\n' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[registry]: cannot reach 127.0.0.1:9: the connection was refused
        at Dockerfile:1:6
      > 1 | FROM 127.0.0.1:9/nothing
          |      ^^^^^^^^^^^^^^^^^^^
        see docs/errors.md#registry
      exit code 1
      "
    `);
  });

  test('an image that its registry does not have', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox:nope\n' });
    const said = await failureOf(world);
    expect(said).toContain('error[registry]: ');
    expect(said).toContain('> 1 | FROM busybox:nope\n');
  });

  test('--pull=never without the image', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\n' });
    expect(await failureOf(world, ['build', '--pull=never', '.'])).toMatchInlineSnapshot(`
      "error[no-such-image]: no image busybox:latest is in the store, and --pull=never forbids to ask its registry
        at Dockerfile:1:6
      > 1 | FROM busybox
          |      ^^^^^^^
        see docs/errors.md#no-such-image
      exit code 1
      "
    `);
  });

  test('unknown flags and commands', async ({ world }) => {
    expect(await failureOf(world, ['build', '--targte', 'x', '.'])).toMatchInlineSnapshot(`
      "error[usage]: build has no flag --targte
        did you mean --target?
        see caisson build --help
      exit code 2
      "
    `);
    expect(await failureOf(world, ['biuld', '.'])).toMatchInlineSnapshot(`
      "error[usage]: there is no command "biuld"
        did you mean build?
        see caisson --help
      exit code 2
      "
    `);
    expect(await failureOf(world, ['build'])).toMatchInlineSnapshot(`
      "error[usage]: build needs the argument context
        expected: caisson build [options] <context>
        hint: . is the current folder
        see caisson build --help
      exit code 2
      "
    `);
    expect(await failureOf(world, ['build', '--network', 'bridge', '.'])).toMatchInlineSnapshot(`
      "error[usage]: --network "bridge" is not known
        expected: default, host, none
        see caisson build --help
      exit code 2
      "
    `);
    expect(await failureOf(world, ['build', '-o', 'type=zip,dest=x', '.'])).toMatchInlineSnapshot(`
      "error[usage]: --output type "zip" is not known
        expected: oci, docker, tar, local, image, registry
        see caisson build --help
      exit code 2
      "
    `);
  });

  test('an output that cannot be written', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\n' });
    const said = await failureOf(world, ['build', '-o', 'type=oci,dest=no/such/folder/x.tar', '.']);
    expect(said.replaceAll(world.context, '')).toMatchInlineSnapshot(`
      "error[output]: cannot write the output /no/such/folder/x.tar: its folder does not exist
        see docs/errors.md#output
      exit code 1
      "
    `);
  });

  test('a destination that a file is in the way of', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY a /file\nCOPY a /file/below\n', a: 'a' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[bad-destination]: cannot copy to /file/below: /file is not a directory
        at Dockerfile:3:1
        2 | COPY a /file
      > 3 | COPY a /file/below
          | ^^^^^^^^^^^^^^^^^^
        see docs/errors.md#bad-destination
      exit code 1
      "
    `);
  });

  test('a context that leads out of itself', async ({ world }) => {
    symlinkSync('/etc', join(world.context, 'link'));
    world.write({ Dockerfile: 'FROM scratch\nCOPY link/passwd /\n' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[missing-source]: the build context has no link/passwd
        at Dockerfile:2:6
        1 | FROM scratch
      > 2 | COPY link/passwd /
          |      ^^^^^^^^^^^
        see docs/errors.md#missing-source
      exit code 1
      "
    `);
  });

  test('names that --chown does not know are a warning', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nCOPY --chown=nbody:stuff a /\n', a: 'a' });
    const { stderr } = await world.ok(['build', '.']);
    expect(/^warning[\s\S]*\^\n/m.exec(stderr)?.[0]).toMatchInlineSnapshot(`
      "warning: --chown=nbody:stuff: the image knows no user "nbody": root takes its place
        at Dockerfile:2:1
        1 | FROM busybox
      > 2 | COPY --chown=nbody:stuff a /
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      warning: --chown=nbody:stuff: the image knows no group "stuff": the user's own takes its place
        at Dockerfile:2:1
        1 | FROM busybox
      > 2 | COPY --chown=nbody:stuff a /
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      "
    `);
  });

  test('nothing is left behind, and earlier images stay', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN echo 1 > /one\n' });
    const first = await world.build(['-t', 'app']);
    world.write({
      Dockerfile: 'FROM busybox\nRUN echo 1 > /one\nRUN mkdir -p /a/b && chmod 0 /a && exit 1\n',
    });
    expect((await world.run(['build', '-t', 'app', '.'])).exitCode).toBe(1);
    expect((await world.ok(['images', '-q', '--no-trunc'])).stdout).toBe(`${first}\n`);
    expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
    expect(readdirSync(join(world.store, 'builds'))).toEqual([]);
  });

  test('a store that belongs to another tool', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    await world.ok(['build', '-o', 'type=oci,dest=layout/', '.']);
    const said = await failureOf(world, ['--root', join(world.context, 'layout'), 'images']);
    expect(said.replaceAll(world.context, '')).toMatchInlineSnapshot(`
      "error[not-a-store]: the folder /layout is no store, but an image layout of another tool
        hint: choose a folder of its own for the store (--root, CAISSON_ROOT)
      exit code 1
      "
    `);
  });
});
