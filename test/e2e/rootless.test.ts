import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { PUBLISHED } from '../../scripts/build.ts';
import { busyboxRoot } from '../rig/base-images.ts';
import { argsOf, buildCases, copyCase, needsOf } from '../rig/build-case.ts';
import { CAISSON } from '../rig/caisson.ts';
import { filesOfTar } from '../rig/image-files.ts';
import { eventually, processesWith } from '../rig/leftovers.ts';
import { packTar } from '../rig/pack-tar.ts';
import { pushDebian } from '../rig/push-base-images.ts';
import { pushByHand } from '../rig/push-image.ts';
import { makeUser, type OrdinaryUser } from '../rig/ordinary-user.ts';
import { findTool, lacks } from '../rig/tools.ts';
import { makeWorld, removeWorld } from '../rig/world.ts';

/* An ordinary user builds what root builds: the program begins again as root of a user namespace. */

const EPOCH = { SOURCE_DATE_EPOCH: '1700000000' };

/** What depends on owners, marks of overlayfs, mounts and devices. `ROOTLESS_CASES=all` compares all that can be built. */
const CHOSEN: ReadonlySet<string> = new Set([
  'copy-merges-directories',
  'hard-links',
  'mounts',
  'permissions',
  'replaced-types',
  'secret-forms',
  'user-groups',
  'whiteouts',
]);

const CASES = buildCases().filter(
  ({ name, expect: { error } }) =>
    error === undefined && (process.env['ROOTLESS_CASES'] === 'all' || CHOSEN.has(name)),
);

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'newuidmap'))('an ordinary user', () => {
  let user: OrdinaryUser;
  beforeAll(async () => {
    user = await makeUser('person');
    if (CASES.some(({ expect: { needs } }) => needs?.includes('mmdebstrap') === true))
      await pushDebian(inject('registry'));
  });
  afterAll(() => user[Symbol.asyncDispose]());

  describe.each(CASES)('$name', (each) => {
    test.skipIf(lacks('crun', 'runc', ...needsOf(each)))(
      'is the image that root builds',
      { timeout: 600_000 },
      async () => {
        const world = makeWorld();
        try {
          await copyCase(each, world.context);
          const env = { ...EPOCH, CAISSON_RUNTIME: 'crun' };
          for (const args of each.expect.before ?? []) await world.ok(args, { env });
          const id = await world.build(argsOf(each, world.context), { env });
          rmSync(user.context, { recursive: true });
          await copyCase(each, user.context);
          user.own(user.context);
          for (const runtime of ['namespaces', 'crun', ...(each.name === 'mounts' ? ['runc'] : [])]) {
            const options = { env: { ...EPOCH, CAISSON_RUNTIME: runtime } };
            for (const args of each.expect.before ?? []) await user.ok(args, options);
            const args = ['build', '-q', '--no-cache', ...argsOf(each, user.seen(user.context)), '.'];
            expect({ runtime, id: (await user.ok(args, options)).stdout.trim() }).toEqual({ runtime, id });
          }
        } finally {
          await removeWorld(world);
        }
      },
    );
  });

  test('builds, finds, runs, looks after and removes images', { timeout: 120_000 }, async () => {
    write(user, {
      Dockerfile:
        'FROM busybox AS first\nRUN mkdir -p /data/sub && echo 1 > /data/sub/file && chown -R 1000:2000 /data\n' +
        'FROM busybox\nCOPY --from=first /data /data\nCOPY --chown=5:6 note /note\nRUN rm -rf /data/sub && mkdir /data/sub\nUSER nobody\n',
      note: 'one\n',
    });
    const args = ['build', '-t', 'app', '--iidfile', 'id', '-o', 'type=tar,dest=files.tar', '.'];
    expect((await user.ok(args)).stderr).toContain('isolation: ');
    expect((await user.ok(args)).stderr).toMatch(/ cached, 0 ran\n$/);
    const files = await filesOfTar(readFileSync(join(user.context, 'files.tar')));
    expect(files.get('note')).toMatchObject({ uid: 5, gid: 6, content: 'one\n' });
    expect(files.get('data/sub')).toMatchObject({ uid: 0, gid: 0 });
    for (const name of ['id', 'files.tar']) expect(statSync(join(user.context, name)).uid).toBe(user.uid);
    const store = join(user.home, '.local/share/caisson');
    const { uid, mode } = statSync(store);
    expect({ uid, mode: mode & 0o777 }).toEqual({ uid: user.uid, mode: 0o700 });

    const id = readFileSync(join(user.context, 'id'), 'utf8');
    expect((await user.ok(['images', '-q', '--no-trunc'])).stdout).toContain(`${id}\n`);
    const ran = await user.ok([
      'run',
      '--network',
      'none',
      'app',
      'sh',
      '-c',
      'id -u; stat -c %u:%g /note; exit 0',
    ]);
    expect(ran.stdout).toBe('65534\n5:6\n');
    expect(await user.run(['run', 'app', 'sh', '-c', 'exit 7'])).toMatchObject({ exitCode: 7 });
    expect((await user.ok(['store', 'verify'])).stdout).toBe('all is what it should be\n');
    expect((await user.ok(['du'])).stdout).toMatch(/^KIND/);
    await user.ok(['rmi', 'app']);
    await user.ok(['prune', '--all']);
    expect(readdirSync(join(store, 'trees'))).toEqual([]);
    expect(readdirSync(join(store, 'tmp'))).toEqual([]);
  });

  test('files that only others can read stay what they are; outputs are of the user', async () => {
    write(user, { Dockerfile: 'FROM scratch\nCOPY . /\n', 'folder/secret': 'x' });
    chownSync(join(user.context, 'folder/secret'), 0, 0);
    chmodSync(join(user.context, 'folder/secret'), 0o600);
    const { stderr, exitCode } = await user.run(['build', '.']);
    const told = stderr.slice(stderr.indexOf('error')).replace(user.seen(user.context), 'CONTEXT');
    expect({ exitCode, told }).toMatchInlineSnapshot(`
      {
        "exitCode": 1,
        "told": "error[no-permission]: CONTEXT/folder/secret cannot be opened: permission denied
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | COPY . /
          | ^^^^^^^^
        see docs/errors.md#no-permission
      ",
      }
    `);
    write(user, {
      Dockerfile:
        'FROM busybox AS made\nRUN mkdir /out && touch /out/a && chown 7:8 /out/a\nFROM scratch\nCOPY --from=made /out /\n',
    });
    await user.ok(['build', '-o', 'out', '.']);
    expect(statSync(join(user.context, 'out/a'))).toMatchObject({ uid: user.uid, gid: user.uid });
  });

  test('ids beyond the range of the user', async () => {
    const said: string[] = [];
    for (const lines of ['COPY --chown=2000000 file /\nRUN true', 'USER 2000000\nRUN true']) {
      write(user, { Dockerfile: `FROM busybox\n${lines}\n`, file: '' });
      const { stderr } = await user.run(['build', '.']);
      said.push(stderr.slice(stderr.indexOf('error')));
    }
    expect(said.join('\n')).toMatchInlineSnapshot(`
      "error[no-permission]: file belongs to user 2000000, and this user namespace has none beyond 65536: as many as /etc/subuid gives
        at Dockerfile:2:1
        1 | FROM busybox
      > 2 | COPY --chown=2000000 file /
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^
        hint: a larger range in /etc/subuid and /etc/subgid, or build as root
        see docs/errors.md#no-permission

      error[step-not-run]: the step runs as user 2000000, and this user namespace has none beyond 65536: as many as /etc/subuid gives
        at Dockerfile:3:1
        2 | USER 2000000
      > 3 | RUN true
          | ^^^^^^^^
        hint: a larger range in /etc/subuid and /etc/subgid, or build as root
        see docs/errors.md#step-not-run
      "
    `);
    // What nothing runs on needs nobody on this machine.
    write(user, { Dockerfile: 'FROM busybox\nCOPY --chown=2000000 file /\n', file: '' });
    await user.ok(['build', '.']);
  });

  test('limits that nobody lets the user set', async () => {
    write(user, { Dockerfile: 'FROM busybox\nRUN true\n' });
    const { stderr, exitCode } = await user.run(['build', '--memory', '50m', '.']);
    const said = stderr
      .slice(stderr.indexOf('error'))
      .replace(/this process may make no cgroup below its own, \S+ \(memory\)|no cgroups are mounted/, 'WHY');
    expect({ said, exitCode }).toMatchInlineSnapshot(`
      {
        "exitCode": 1,
        "said": "error[step-not-run]: the memory of a step cannot be limited here: WHY
        at Dockerfile:2:1
        1 | FROM busybox
      > 2 | RUN true
          | ^^^^^^^^
        hint: systemd gives a user cgroups: systemd-run --user --scope caisson ...
        see docs/errors.md#step-not-run
      ",
      }
    `);
  });

  test('devices of an image are hidden and removed like any file', async () => {
    const device = {
      name: 'device',
      type: 'character-device',
      devmajor: 1,
      devminor: 3,
      mode: 0o666,
    } as const;
    const layers = [await busyboxRoot(), await packTar([device, { ...device, name: 'other' }])];
    await pushByHand(inject('registry'), 'library/devices:latest', { layers });
    write(user, { Dockerfile: 'FROM devices\nRUN rm /device && test -e /other\n' });
    await user.ok(['build', '-t', 'app', '-o', 'type=tar,dest=files.tar', '.']);
    const files = await filesOfTar(readFileSync(join(user.context, 'files.tar')));
    expect(files.has('device')).toBe(false);
    expect(files.get('other')).toMatchObject({ type: 'character-device' });
    expect((await user.ok(['store', 'verify'])).stdout).toBe('all is what it should be\n');
  });

  test('a step cannot use the marks of overlayfs, nor see whose files it has', async () => {
    write(user, {
      Dockerfile:
        'FROM busybox\nRUN cat /proc/self/uid_map > /map; cat /etc/shadow-of-host 2>/dev/null; ls /proc | grep -c "^[0-9]*$" > /count; ! mount -t tmpfs x /tmp\n',
    });
    await user.ok(['build', '-o', 'out', '.']);
    expect(Number(readFileSync(join(user.context, 'out/count'), 'utf8'))).toBeLessThan(6);
  });

  test('a watch builds again at an edit, and ends with a signal', { timeout: 60_000 }, async () => {
    write(user, { Dockerfile: 'FROM busybox\nCOPY file /\nRUN cat /file > /copy\n', file: '1' });
    const watch = execa(
      ...user.as(user.seen(process.execPath), user.seen(CAISSON), 'watch', '-t', 'app', '.'),
      {
        env: { PATH: process.env['PATH'] ?? '', HOME: user.seen(user.home) },
        extendEnv: false,
        reject: false,
      },
    );
    let said = '';
    watch.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const shows = (text: RegExp, times: number): Promise<boolean> =>
      eventually(() => (said.match(text) ?? []).length >= times);
    await shows(/named app:latest/g, 1);
    writeFileSync(join(user.context, 'file'), '2');
    await shows(/named app:latest/g, 2);
    watch.kill('SIGINT');
    expect((await watch).exitCode).toBe(130);
    expect((await user.ok(['run', 'app', 'cat', '/copy'])).stdout).toBe('2');
    expect(processesWith(user.seen(user.home))).toEqual([]);
  });

  test('with an unshare that gives no ids, as before util-linux 2.38', { timeout: 60_000 }, async () => {
    const tools = join(user.folder, 'tools');
    mkdirSync(tools, { recursive: true });
    const script = `#!/bin/sh
case "$*" in *--map-users*) echo "unshare: unrecognized option '--map-users=1,1,1'" >&2; exit 1;; esac
exec ${findTool('unshare')} "$@"
`;
    writeFileSync(join(tools, 'unshare'), script, { mode: 0o755 });
    const env = { PATH: `${user.seen(tools)}:${process.env['PATH'] ?? ''}` };
    write(user, { Dockerfile: 'FROM busybox\nCOPY --chown=5:6 file /\nRUN stat -c %u:%g /file\n', file: '' });
    expect((await user.ok(['build', '--no-cache', '.'], { env })).stderr).toMatch(/^#2 [0-9.]+ 5:6$/m);
    const { stdout, exitCode } = await user.run(['unshare', 'sh', '-c', 'id -u; stat -c %u .; cat; exit 4'], {
      env,
      input: 'in',
    });
    expect({ stdout, exitCode }).toEqual({ stdout: '0\n0\nin', exitCode: 4 });
  });

  test('is told what the machine does', async () => {
    const { stdout } = await user.ok(['doctor']);
    expect(stdout).toMatch(/^ok {7}user namespace: works: builds are those of root of a user namespace/m);
    expect(stdout).toMatch(/^ok {7}crun: works/m);
    expect(stdout).toMatch(/^ok {7}runc: works/m);
    expect(stdout).toMatch(/^ok {7}namespaces: works/m);
    expect(stdout).toMatch(/^ok {7}isolation: oci/m);
  });

  test('a store of root is refused', async () => {
    const world = makeWorld();
    await world.ok(['images']);
    const { exitCode, stderr } = await user.run(['images'], {
      env: { CAISSON_ROOT: user.seen(world.store) },
    });
    const inside = await user.run(['tag', 'a', 'b'], { env: { CAISSON_ROOT: user.seen(world.store) } });
    await removeWorld(world);
    const said = (text: string): string =>
      text.replaceAll(user.seen(world.store), 'STORE').replaceAll(String(user.uid), 'UID');
    expect({ exitCode, stderr: said(stderr), inside: said(inside.stderr) }).toMatchInlineSnapshot(`
      {
        "exitCode": 1,
        "inside": "error[no-access]: cannot open the store STORE: no permission (STORE)
      ",
        "stderr": "error[no-access]: cannot open the store STORE: no permission (STORE)
      ",
      }
    `);
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'newuidmap'))('caisson unshare', () => {
  let user: OrdinaryUser;
  beforeAll(async () => {
    user = await makeUser('person');
  });
  afterAll(() => user[Symbol.asyncDispose]());

  test('runs a command as root of the namespace, as if it were one process', async () => {
    const script = 'id -u; stat -c %u .; echo "$CAISSON_ROOT"; cat; exit 5';
    const { exitCode, stdout } = await user.run(['unshare', 'sh', '-c', script], { input: 'in\n' });
    const store = user.seen(join(user.home, '.local/share/caisson'));
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: `0\n0\n${store}\nin\n` });
    // Node ignores SIGPIPE, and makes its streams such that writes do not wait; the command finds both as they were.
    const state = await user.run([
      'unshare',
      'sh',
      '-c',
      'grep SigIgn /proc/self/status; grep flags /proc/self/fdinfo/1',
    ]);
    expect(state.stdout).toMatch(/^SigIgn:\t0{16}\nflags:\t0?[12]\n$/);
  });

  test('commands that cannot be run', async () => {
    const said: string[] = [];
    for (const command of ['nonesuch', './nonesuch', '/etc/passwd']) {
      const { exitCode, stderr } = await user.run(['unshare', command]);
      said.push(`${stderr}exit code ${exitCode}\n`);
    }
    expect(said.join('')).toMatchInlineSnapshot(`
      "error[no-such-command]: there is no command nonesuch in the PATH
      exit code 127
      error[no-such-command]: there is no ./nonesuch
      exit code 127
      error[not-executable]: /etc/passwd is no program that can be run (EACCES)
      exit code 126
      "
    `);
  });

  test('lets a script of Node build; without it the API says what to do', async () => {
    write(user, {
      'build.mjs': `import { build } from ${JSON.stringify(user.seen(join(PUBLISHED, 'dist/index.js')))};
try {
  const { id } = await build({ context: { Dockerfile: 'FROM scratch\\nLABEL a=b\\n' }, tags: 'api' });
  console.log(id);
} catch ({ failures }) {
  console.log(JSON.stringify(failures));
}
`,
    });
    const node = user.seen(process.execPath);
    const env = { PATH: process.env['PATH'] ?? '', HOME: user.seen(user.home) };
    const alone = await execa(...user.as(node, 'build.mjs'), { env, extendEnv: false });
    expect(JSON.parse(alone.stdout)).toMatchInlineSnapshot(`
      [
        {
          "code": "no-permission",
          "hint": "caisson unshare node ... runs a script as root of a user namespace, with the subordinate ids of its user",
          "message": "this process is not root, and has no ids to give files to",
        },
      ]
    `);
    const { stdout } = await user.ok(['unshare', node, 'build.mjs']);
    expect(stdout).toMatch(/^sha256:/);
    expect((await user.ok(['images', '-q', '--no-trunc'])).stdout).toContain(stdout);
  });
});

describe.skipIf(lacks('root', 'newuidmap'))('a user without subordinate ids', () => {
  test('is told how to get some; what needs none works', async () => {
    await using user = await makeUser('system');
    write(user, { Dockerfile: 'FROM scratch\n' });
    const { exitCode, stderr } = await user.run(['build', '.']);
    expect({ exitCode, stderr: toldTo(user, stderr) }).toMatchInlineSnapshot(`
      {
        "exitCode": 2,
        "stderr": "error[usage]: user USER has no subordinate ids: there is no line for USER in /etc/subuid
        hint: once: sudo usermod --add-subuids ID-ID --add-subgids ID-ID USER
      ",
      }
    `);
    expect((await user.run(['images'])).exitCode).toBe(0);
    expect((await user.run(['check', '.'])).exitCode).toBe(0);
    const doctor = await user.run(['doctor']);
    expect(doctor.exitCode).toBe(1);
    expect(toldTo(user, doctor.stdout.slice(doctor.stdout.indexOf('problem')))).toMatchInlineSnapshot(`
      "problem  user namespace: user USER has no subordinate ids: there is no line for USER in /etc/subuid
               once: sudo usermod --add-subuids ID-ID --add-subgids ID-ID USER
      problem  isolation: nothing can be built without owners for files
      "
    `);
  });
});

/** What is told to a user, without what is of this machine. */
function toldTo({ name }: OrdinaryUser, text: string): string {
  return text.replaceAll(name, 'USER').replaceAll(/\d{6,}/g, 'ID');
}

/** Makes the context of a user anew. */
function write(user: OrdinaryUser, files: Readonly<Record<string, string>>): void {
  rmSync(user.context, { recursive: true, force: true });
  for (const [name, content] of Object.entries(files)) {
    const path = join(user.context, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  user.own(user.context);
}
