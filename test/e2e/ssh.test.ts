import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, inject } from 'vitest';
import { BASE_CONFIG, debianRoot } from '../rig/base-images.ts';
import { failureOf } from '../rig/failure-of.ts';
import { pushByHand } from '../rig/push-image.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

/** Answers whatever an agent is asked: it knows no keys (SSH_AGENT_IDENTITIES_ANSWER, none). */
async function startAgent(socket: string): Promise<Server> {
  const server = createServer((connection) => {
    connection.on('data', () => connection.write(Buffer.from([0, 0, 0, 5, 12, 0, 0, 0, 0])));
    connection.on('error', () => {});
  });
  await new Promise<void>((resolve) => void server.listen(socket, resolve));
  return server;
}

/** Asks an agent for its keys (SSH_AGENTC_REQUEST_IDENTITIES), and shows the answer in hex. */
const ASK =
  'use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new($ENV{SSH_AUTH_SOCK}) or die; print $s pack("NC", 1, 11); $s->flush; sysread($s, my $l, 4); sysread($s, my $b, unpack("N", $l)); print unpack("H*", $l . $b), "\\n"';

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'ssh-agent'))('an ssh agent', () => {
  test('is there for the steps that ask for it', async ({ world }) => {
    const socket = join(world.folder, 'agent');
    const server = await startAgent(socket);
    world.write({
      Dockerfile: `FROM busybox
RUN --mount=type=ssh stat -c '%n %a %u:%g' $SSH_AUTH_SOCK
RUN --mount=type=ssh,id=other,target=/a/b --mount=type=ssh,uid=4,gid=5,mode=0644 echo $SSH_AUTH_SOCK; stat -c '%a %u:%g' /run/buildkit/ssh_agent.1
ENV SSH_AUTH_SOCK=mine
RUN --mount=type=ssh echo $SSH_AUTH_SOCK; ls -d /a 2>&1; ls -d /run/buildkit
RUN echo "[$SSH_AUTH_SOCK]"; ls /run/buildkit 2>&1; true
`,
    });
    const env = { SSH_AUTH_SOCK: socket };
    const args = ['build', '-t', 'app', '--ssh', 'default', '--ssh', `other=${socket}`, '.'];
    const { stderr } = await world.ok(args, { env });
    server.close();
    const lines = [...stderr.matchAll(/^#\d [\d.]+ (.*)$/gm)].map(([, line]) => line);
    expect(lines).toEqual([
      '/run/buildkit/ssh_agent.0 600 0:0',
      '/a/b',
      '644 4:5',
      'mine',
      'ls: /a: No such file or directory',
      '/run/buildkit',
      '[mine]',
      'ls: /run/buildkit: No such file or directory',
    ]);
    // Which agent it was is no reason to run the steps again, nor is that there is none.
    expect((await world.ok(['build', '.'])).stderr).toMatch(/4 steps cached, 0 ran\n$/);
    expect((await world.ok(['run', 'app', 'ls', '/'])).stdout).not.toMatch(/^(?:run|a)$/m);
  });

  test.skipIf(lacks('mmdebstrap'))(
    'is reached by a path of any length, or it is said why not',
    async ({ world }) => {
      await pushByHand(inject('registry'), 'library/debian:perl', {
        layers: [await debianRoot()],
        config: BASE_CONFIG,
      });
      const deep = join(world.folder, 'deep/'.repeat(20));
      mkdirSync(deep, { recursive: true });
      const long = join(deep, 'agent');
      expect(long.length).toBeGreaterThan(107);
      const socket = join(world.folder, 'agent');
      await using _server = await startAgent(socket);
      renameSync(socket, long);
      world.write({ Dockerfile: `FROM debian:perl\nRUN --mount=type=ssh perl -e '${ASK}'\n` });
      const { stderr } = await world.ok(['build', '--progress=plain', '--ssh', `default=${long}`, '.']);
      expect(stderr).toMatch(/^#1 [\d.]+ 000000050c00000000$/m);
      world.write({ Dockerfile: 'FROM busybox\nRUN --mount=type=ssh true\n' });
      const elsewhere = { root: join(deep, 'store'), env: { HOME: join(world.folder, 'home') } };
      const refused = await world.run(['build', '--ssh', `default=${long}`, '.'], elsewhere);
      expect(refused.exitCode).toBe(1);
      const said = refused.stderr.slice(refused.stderr.indexOf('error['));
      expect(said.replace(/\d{3} bytes,?/, 'N bytes')).toMatchInlineSnapshot(`
        "error[missing-secret]: the socket of the ssh agent "default" cannot be reached: its path is too long, N bytes
          at Dockerfile:2:1
          1 | FROM busybox
        > 2 | RUN --mount=type=ssh true
            | ^^^^^^^^^^^^^^^^^^^^^^^^^
          expected: a path of 107 bytes at most
          hint: a link to it may have a shorter one: ln -s
          see docs/errors.md#missing-secret
        "
      `);
    },
  );

  test.skipIf(lacks('mmdebstrap'))(
    'holds the keys that are named, and is gone after the build',
    async ({ world }) => {
      await pushByHand(inject('registry'), 'library/debian:perl', {
        layers: [await debianRoot()],
        config: BASE_CONFIG,
      });
      const key = join(world.context, 'key');
      await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
      const [, encoded = ''] = (await execa('ssh-keygen', ['-y', '-f', key])).stdout.split(' ');
      world.write({ Dockerfile: `FROM debian:perl\nRUN --mount=type=ssh,required perl -e '${ASK}'\n` });
      const { stderr } = await world.ok(['build', '--ssh', 'default=key', '.']);
      // SSH_AGENT_IDENTITIES_ANSWER with one key.
      expect(stderr).toMatch(/^#1 [\d.]+ [0-9a-f]{8}0c00000001/m);
      expect(stderr).toContain(Buffer.from(encoded, 'base64').toString('hex'));
      expect(readdirSync(tmpdir()).filter((name) => name.startsWith('caisson-ssh-'))).toEqual([]);
    },
  );

  test.skipIf(lacks('mmdebstrap'))('keeps its keys, whatever a step asks', async ({ world }) => {
    const key = join(world.context, 'key');
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    await pushByHand(inject('registry'), 'library/debian:perl', {
      layers: [await debianRoot()],
      config: BASE_CONFIG,
    });
    // SSH_AGENTC_REMOVE_ALL_IDENTITIES is answered with SSH_AGENT_FAILURE; one key is there after it.
    const remove = ASK.replace('1, 11', '1, 19');
    world.write({
      Dockerfile: `FROM debian:perl\nRUN --mount=type=ssh perl -e '${remove}'; perl -e '${ASK}' | head -c 18; echo\n`,
    });
    const { stderr } = await world.ok(['build', '--ssh', 'default=key', '.']);
    expect(stderr).toMatch(/^#1 [\d.]+ 0000000105$/m);
    expect(stderr).toMatch(/^#1 [\d.]+ [0-9a-f]{8}0c00000001$/m);
  });

  test('that is missing, or of no use', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN --mount=type=ssh,id=git,required true\n', none: '' });
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'x', '-f', join(world.context, 'locked')]);
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[missing-secret]: the ssh agent "git" is required and was not given
        at Dockerfile:2:22
        1 | FROM busybox
      > 2 | RUN --mount=type=ssh,id=git,required true
          |                      ^^^^^^
        hint: --ssh git, --ssh git=SOCKET or --ssh git=KEY
        see docs/errors.md#missing-secret
      exit code 1
      "
    `);
    const build = async (ssh: string): Promise<string> =>
      (await failureOf(world, ['build', '--ssh', ssh, '.'])).replaceAll(world.context, 'CONTEXT');
    expect(await build('git')).toMatchInlineSnapshot(`
      "error[usage]: --ssh git needs an agent, and SSH_AUTH_SOCK is not set
        expected: an agent (eval $(ssh-agent); ssh-add), or --ssh git=KEY
        see caisson build --help
      exit code 2
      "
    `);
    expect(await build('=x')).toMatchInlineSnapshot(`
      "error[usage]: --ssh "=x" is no agent
        expected: default, or ID=SOCKET, or ID=KEY[,KEY]
        see caisson build --help
      exit code 2
      "
    `);
    expect(await build('git=nowhere')).toMatchInlineSnapshot(`
      "error[invalid-request]: the ssh agent "git": there is no file CONTEXT/nowhere
        expected: --ssh git=SOCKET or --ssh git=KEY
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
    expect(await build('git=none')).toMatchInlineSnapshot(`
      "error[missing-secret]: the key of the ssh agent "git" cannot be used: Permissions 0644 for 'CONTEXT/none' are too open.
        at Dockerfile:2:1
        1 | FROM busybox
      > 2 | RUN --mount=type=ssh,id=git,required true
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        hint: a key with a passphrase is added to an agent before: ssh-add, then --ssh default
        see docs/errors.md#missing-secret
      exit code 1
      "
    `);
    expect(await build('git=locked')).toMatchInlineSnapshot(`
      "error[missing-secret]: the key of the ssh agent "git" cannot be used: it has a passphrase, most likely
        at Dockerfile:2:1
        1 | FROM busybox
      > 2 | RUN --mount=type=ssh,id=git,required true
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        hint: a key with a passphrase is added to an agent before: ssh-add, then --ssh default
        see docs/errors.md#missing-secret
      exit code 1
      "
    `);
  });
});
