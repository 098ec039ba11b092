import { appendFileSync, closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { bareEnvironment, CAISSON } from '../rig/caisson.ts';
import { failureOf } from '../rig/failure-of.ts';
import { filesOfTar } from '../rig/image-files.ts';
import { sha256 } from '../rig/push-image.ts';
import { OLD_NODE } from '../rig/old-node.ts';
import { processesWith } from '../rig/leftovers.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

/** What root of a container has, started as `docker run` does it. */
const CAPABILITIES_OF_DOCKER =
  'chown dac_override fsetid fowner mknod net_raw setgid setuid setfcap setpcap net_bind_service sys_chroot kill audit_write'.split(
    ' ',
  );

describe.skipIf(lacks('root'))('circumstances', () => {
  test('a file that grows while it is read', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY big /\n', big: Buffer.alloc(200 << 20) });
    const writer = setInterval(() => appendFileSync(join(world.context, 'big'), 'x'), 3);
    const said = await failureOf(world);
    clearInterval(writer);
    expect(said.replaceAll(world.context, '')).toMatchInlineSnapshot(`
      "warning: /big changed while it was read; it is read once more
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | COPY big /
          | ^^^^^^^^^^
      error[changed-while-read]: /big changed while it was read, twice
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | COPY big /
          | ^^^^^^^^^^
        hint: an ignore file can hide what programs keep writing
        see docs/errors.md#changed-while-read
      exit code 1
      "
    `);
  });

  test('a file that is written over while it is read', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY big /\n', big: Buffer.alloc(200 << 20) });
    const file = openSync(join(world.context, 'big'), 'r+');
    const writer = setInterval(() => writeSync(file, String(Math.random()), (200 << 20) - 100), 3);
    const { exitCode, stderr } = await world.run(['build', '-t', 'app', '.']);
    clearInterval(writer);
    closeSync(file);
    // Either what was copied is what the key says, or it is told.
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      'warning: /big changed while it was read; what was copied is what was there then\n',
    );
    // Now that it rests, what is in the image is what the key says: the same as a cold build's.
    const again = await world.build(['-t', 'app', '-o', 'type=tar,dest=again.tar']);
    expect(again).toMatch(/^sha256:/);
    const copied = (await filesOfTar(readFileSync(join(world.context, 'again.tar')))).get('big');
    expect(copied?.sha256).toBe(sha256(readFileSync(join(world.context, 'big'))).slice('sha256:'.length));
  });

  test.skipIf(lacks('busybox'))('a container without privileges', async ({ world }) => {
    const inContainer = (lacking: string, ...args: readonly string[]) =>
      execa('setpriv', [`--bounding-set=${lacking}`, process.execPath, CAISSON, ...args], {
        env: { ...bareEnvironment(world.store), SOURCE_DATE_EPOCH: '1700000000' },
        extendEnv: false,
        cwd: world.context,
        reject: false,
      });
    const failure = async (lacking: string, ...args: readonly string[]): Promise<string> => {
      const { exitCode, stderr } = await inContainer(lacking, 'build', '-q', ...args, '.');
      expect(exitCode).toBe(1);
      return stderr.slice(stderr.indexOf('error['));
    };
    world.write({ Dockerfile: 'FROM busybox\nCOPY file /\nRUN echo new > /new && rm /file\n', file: '' });
    const stock = ['-all', ...CAPABILITIES_OF_DOCKER].join(',+');
    expect(await failure(stock, '--min-isolation', 'namespaces')).toMatchInlineSnapshot(`
      "error[step-not-run]: steps need namespaces of their own, and this process may not make any
        at Dockerfile:3:1
        2 | COPY file /
      > 3 | RUN echo new > /new && rm /file
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        hint: a container must be started with --cap-add SYS_ADMIN, --security-opt seccomp=unconfined and --security-opt apparmor=unconfined, or with --privileged
        see docs/errors.md#step-not-run"
    `);
    expect(await failure('-sys_admin,-mknod')).toMatchInlineSnapshot(`
      "error[step-not-run]: steps need namespaces of their own, and this process may not make any; isolation chroot needs CAP_MKNOD, which this process does not have
        at Dockerfile:3:1
        2 | COPY file /
      > 3 | RUN echo new > /new && rm /file
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        hint: a container must be started with --cap-add SYS_ADMIN, --security-opt seccomp=unconfined and --security-opt apparmor=unconfined, or with --privileged
        see docs/errors.md#step-not-run"
    `);
    expect(await failure('-mknod,-sys_chroot', '--runtime', 'chroot')).toMatchInlineSnapshot(`
      "error[step-not-run]: isolation chroot needs CAP_MKNOD, CAP_SYS_CHROOT, which this process does not have
        at Dockerfile:3:1
        2 | COPY file /
      > 3 | RUN echo new > /new && rm /file
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        hint: root of a container has these by default; they may have been dropped
        see docs/errors.md#step-not-run"
    `);
    const { stderr } = await inContainer(stock, 'build', '.');
    expect(stderr).toContain('\nisolation: chroot, network: host\n');
    const again = await world.build(['--no-cache'], { env: { SOURCE_DATE_EPOCH: '1700000000' } });
    expect(stderr).toContain(`\nimage ${again} `);
    // Root of such a container is not shown the root folder of other users' processes.
    const left = 'USER 1000:1000\nRUN (setsid sleep 4815 > /dev/null 2>&1 &)\n';
    world.write({ Dockerfile: `FROM busybox\n${left}` });
    expect(await inContainer(stock, 'build', '-q', '.')).toMatchObject({ exitCode: 0 });
    expect(processesWith('sleep 4815')).toEqual([]);
    const ran = await inContainer(stock, 'run', 'busybox', 'sh', '-c', 'echo out; exit 7');
    expect(ran).toMatchObject({ stdout: 'out', stderr: '', exitCode: 7 });
    const { stdout } = await inContainer(stock, 'doctor');
    const lines = stdout.split('\n');
    const at = (what: string): string[] => lines.filter((line) => new RegExp(`^\\w+ +${what}:`).test(line));
    expect(['namespaces', 'chroot', 'layer maps', 'isolation'].flatMap(at)).toMatchInlineSnapshot(`
      [
        "note     namespaces: steps need namespaces of their own, and this process may not make any",
        "ok       chroot: works: steps run in a copy of their files",
        "note     layer maps: steps need namespaces of their own, and this process may not make any",
        "ok       isolation: chroot (RUN steps run in chroot)",
      ]
    `);
  });

  test.skipIf(OLD_NODE === undefined)('a Node that is too old', async ({ world }) => {
    const { exitCode, stderr, stdout } = await execa(OLD_NODE ?? '', [CAISSON, 'images'], {
      env: bareEnvironment(world.store),
      extendEnv: false,
      reject: false,
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(
      /^caisson needs Node 24 or newer; this is v\d+\.\d+\.\d+ \(npx -p node@24 -p caisson caisson \.\.\. brings its own\)$/,
    );
  });

  test('a current folder that is gone', async ({ world }) => {
    const line = `mkdir gone && cd gone && rmdir ../gone && exec ${process.execPath} ${CAISSON} build .`;
    const { exitCode, stderr } = await execa('sh', ['-c', line], {
      env: bareEnvironment(world.store),
      extendEnv: false,
      cwd: world.context,
      reject: false,
    });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: 'error[usage]: the current folder is not there any more\n  hint: cd to another one',
    });
  });

  test.each(['HOME', 'XDG_CACHE_HOME'])('%s where the kernel lets no folder be made', async (name) => {
    const { exitCode, stdout, stderr } = await execa(process.execPath, [CAISSON, '--version'], {
      env: { PATH: process.env['PATH'] ?? '', [name]: '/proc/caisson' },
      extendEnv: false,
      reject: false,
      timeout: 20_000,
      killSignal: 'SIGKILL',
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^caisson /);
  });
});
