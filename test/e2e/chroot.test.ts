import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CAPABILITIES } from '@caisson/sys';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { bareEnvironment, CAISSON } from '../rig/caisson.ts';
import { checkStore } from '../rig/check-store.ts';
import { eventually, processesWith } from '../rig/leftovers.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const CHROOT = { CAISSON_RUNTIME: 'chroot', SOURCE_DATE_EPOCH: '1700000000' };

/** A build that goes on until somebody ends it. */
function start(world: World, args: readonly string[] = []) {
  return execa(process.execPath, [CAISSON, 'build', ...args, '.'], {
    env: { ...bareEnvironment(world.store), ...CHROOT },
    extendEnv: false,
    cwd: world.context,
    reject: false,
    stdin: 'ignore',
  });
}

/** A Dockerfile with a step that has a cache at /c. */
function cached(command: string): string {
  return `FROM busybox\nRUN --mount=type=cache,target=/c ${command}\n`;
}

/** The process that has a text among its arguments, and is no caisson. */
async function pidOf(marker: string): Promise<number> {
  const find = (): string | undefined => processesWith(marker).find((line) => /\bsleep\b/.test(line));
  await eventually(() => find() !== undefined);
  return Number.parseInt(find() ?? '', 10);
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('isolation chroot', () => {
  test('says what it is, and shows mounts as the other ones do', async ({ world }) => {
    const commands = [
      '--mount=type=cache,target=/cache,uid=3 echo kept > /cache/file; stat -c %u /cache > /owner',
      '--mount=type=cache,target=/cache,uid=3 cat /cache/file > /from-cache && rm /cache/file && touch /cache/left',
      '--mount=type=secret,id=s,target=/etc/secret,mode=0440,gid=7 stat -c "%a %g" /etc/secret > /secret-is; wc -c < /etc/secret >> /secret-is',
      '--mount=type=bind,source=d,target=/d,rw ls /d > /listed && touch /d/new',
      '--mount=type=tmpfs,target=/memory touch /memory/x && stat -c %a /memory > /memory-is',
      'rm /etc/group && echo "$(cat /etc/hosts | wc -l)" > /hosts-lines && touch /dev/shm/x',
    ];
    world.write({
      Dockerfile: ['FROM busybox', 'USER root', ...commands.map((each) => `RUN ${each}`), ''].join('\n'),
      'd/file': 'a file\n',
    });
    const args = ['--secret', 'id=s,src=d/file'];
    const { stderr } = await world.ok(['build', ...args, '-t', 'app', '.'], { env: CHROOT });
    expect(stderr).toContain('\nisolation: chroot, network: host\n');
    const id = (await world.ok(['images', '-q', '--no-trunc'])).stdout;
    const other = { ...CHROOT, CAISSON_RUNTIME: 'namespaces', CAISSON_ROOT: join(world.folder, 'other') };
    expect(`${await world.build(args, { env: other })}\n`).toBe(id);
    expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
    expect(checkStore(world.store)).toEqual([]);
  });

  test('takes what is written to /dev/stdout and /dev/stderr, in its order', async ({ world }) => {
    const dockerfile = [
      'FROM busybox',
      'RUN ln -s /dev/stdout /log; echo one; echo two > /dev/stdout; echo three; echo four >> /log; echo five',
      'RUN exec 2>&-; echo six > /dev/stderr; (sleep 1; echo seven > /dev/stderr) &',
      'USER 1000:1000',
      'RUN echo eight | tee /dev/stdout; head -c 300000 /dev/zero | tr "\\0" x > /dev/stderr',
      '',
    ];
    world.write({ Dockerfile: dockerfile.join('\n') });
    const { stderr } = await world.ok(['build', '-t', 'app', '.'], { env: CHROOT });
    const lines = [...stderr.matchAll(/^#\d+ [\d.]+ (one|two|three|four|five|six|seven|eight|x+)$/gm)];
    const said = lines.map(([, text = '']) => text).filter((text) => !text.startsWith('x'));
    expect(said).toEqual(['one', 'two', 'three', 'four', 'five', 'six', 'eight', 'eight']);
    expect(stderr.match(/x/g)?.length).toBeGreaterThanOrEqual(300_000);
    const command = 'echo a; echo b > /dev/stdout; echo c > /dev/stderr';
    const run = await world.ok(['run', '--rm', 'app', 'sh', '-c', command], { env: CHROOT });
    expect([run.stdout.split('\n').toSorted(), run.stderr]).toEqual([['', 'a', 'b'], 'c\n']);
  });

  test('gives no right with which its root could be left', async ({ world }) => {
    const marker = `97531.${process.pid}`;
    world.write({
      Dockerfile: [
        'FROM busybox',
        'RUN chroot /tmp true 2>&1 | grep -c "not permitted" > /chroot',
        'RUN mknod /disk b 7 0 2>/dev/null && head -c1 /disk; mount -t tmpfs t /tmp 2>&1 | grep -c "denied\\|permitted" > /mount',
        'RUN ls /proc/1 /proc/self/root 2>/dev/null | wc -l > /proc-seen; ls -d /../../etc/../.. > /above',
        'RUN test "$(cat /chroot /mount /proc-seen /above | tr -d "\\n")" = "110/../../etc/../.." && unshare -U true 2>&1 | grep permitted',
        `RUN sleep ${marker}`,
        '',
      ].join('\n'),
    });
    const build = start(world);
    const pid = await pidOf(marker);
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const holds = (set: string, name: (typeof CAPABILITIES)[number]): boolean => {
      const [, bits = ''] = new RegExp(`^${set}:\\s*(\\w+)`, 'm').exec(status) ?? [];
      return ((BigInt(`0x${bits}`) >> BigInt(CAPABILITIES.indexOf(name))) & 1n) === 1n;
    };
    for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapInh', 'CapAmb']) {
      // Whoever traces a process must have all of its rights: the builder has this one.
      expect({ set, held: holds(set, 'SYS_CHROOT') }).toEqual({ set, held: false });
      expect(holds(set, 'SYS_PTRACE') || holds(set, 'SYS_ADMIN')).toBe(false);
    }
    expect(holds('CapEff', 'CHOWN')).toBe(true);
    expect(readdirSync(`/proc/${pid}/fd`)).toEqual(['0', '1', '2']);
    build.kill('SIGINT');
    expect((await build).exitCode).toBe(130);
    expect(await eventually(() => processesWith(marker).length === 0)).toBe(true);
  });

  test('ends what a step leaves behind, and keeps nothing of it', async ({ world }) => {
    const marker = `86421.${process.pid}`;
    world.write({
      Dockerfile: `FROM busybox\nRUN (setsid sleep ${marker} &) ; (sh -c "trap '' TERM HUP; sleep ${marker}" &) ; echo done > /done\n`,
    });
    await world.build([], { env: CHROOT });
    expect(processesWith(marker)).toEqual([]);
  });

  test('loses no process, file or cache when the builder is killed, or a step fails', async ({ world }) => {
    const marker = `75319.${process.pid}`;
    world.write({ Dockerfile: cached('echo kept > /c/file; exit 3') });
    expect((await world.run(['build', '.'], { env: CHROOT })).exitCode).toBe(1);
    expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      world.write({ Dockerfile: cached(`cat /c/file && (setsid sleep ${marker} &); sleep ${marker}`) });
      const build = start(world);
      await pidOf(marker);
      build.kill(signal);
      await build;
      expect(
        await eventually(() => processesWith(marker).length + processesWith(world.folder).length === 0),
      ).toBe(true);
    }
    world.write({ Dockerfile: cached('cat /c/file > /is') });
    await world.build(['-t', 'app'], { env: CHROOT });
    expect((await world.ok(['run', 'app', 'cat', '/is'], { env: CHROOT })).stdout).toBe('kept\n');
    expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
    expect(readdirSync(join(world.store, 'cache-mounts')).filter((name) => name.endsWith('.away'))).toEqual(
      [],
    );
  });

  test('loses no cache when the host alone is killed', async ({ world }) => {
    const marker = `86213.${process.pid}`;
    world.write({ Dockerfile: cached(`echo kept > /c/file; sleep ${marker}`) });
    const build = start(world);
    await pidOf(marker);
    for (const line of processesWith(world.folder)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
    expect((await build).exitCode).toBe(1);
    expect(await eventually(() => processesWith(marker).length === 0)).toBe(true);
    expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
    const cache = readdirSync(join(world.store, 'cache-mounts')).find((name) => !name.includes('.')) ?? '';
    expect(readdirSync(join(world.store, 'cache-mounts', cache))).toEqual(['file']);
  });

  test('brings a cache back that nobody was left to bring back', async ({ world }) => {
    const marker = `64208.${process.pid}`;
    world.write({
      Dockerfile: `FROM busybox\nRUN --mount=type=cache,target=/c echo kept > /c/file; sleep ${marker}\n`,
    });
    const build = start(world);
    await pidOf(marker);
    // The builder and the host: none of them sees the other one's end.
    build.kill('SIGSTOP');
    for (const line of processesWith(world.folder)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
    build.kill('SIGKILL');
    await build;
    await eventually(() => processesWith(marker).length === 0);
    world.write({ Dockerfile: 'FROM busybox\nRUN --mount=type=cache,target=/c cat /c/file > /is\n' });
    await world.build(['-t', 'app'], { env: CHROOT });
    expect((await world.ok(['run', 'app', 'cat', '/is'], { env: CHROOT })).stdout).toBe('kept\n');
  });

  test.for([
    ['RUN --network=none true', [], 'cut a step off the network'],
    ['RUN true', ['--network', 'none'], 'cut a step off the network'],
    ['RUN true', ['--memory', '64m'], 'limit the memory of a step'],
    ['RUN true', ['--cpus', '1'], 'limit the processors of a step'],
    ['RUN true', ['--build-arg', 'BUILDKIT_SANDBOX_HOSTNAME=other'], 'give a step a host name'],
    [
      'RUN --mount=type=cache,id=a,target=/a --mount=type=cache,id=a,target=/b true',
      [],
      'show one cache in two places',
    ],
  ] as const)('refuses %s %j', async ([instruction, args, what], { world }) => {
    world.write({ Dockerfile: `FROM busybox\n${instruction}\n` });
    const { exitCode, stderr } = await world.run(['build', ...args, '.'], { env: CHROOT });
    expect(exitCode).toBe(1);
    expect(stderr.slice(stderr.indexOf('error['))).toBe(
      [
        `error[step-not-run]: isolation chroot cannot ${what}`,
        '  at Dockerfile:2:1',
        '  1 | FROM busybox',
        `> 2 | ${instruction}`,
        `    | ${'^'.repeat(instruction.length)}`,
        '  hint: with namespaces it could: a container must be started with --cap-add SYS_ADMIN, --security-opt seccomp=unconfined and --security-opt apparmor=unconfined, or with --privileged',
        '  see docs/errors.md#step-not-run',
        '',
      ].join('\n'),
    );
  });

  test('is refused where something stronger is asked for', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN true\n' });
    const { exitCode, stderr } = await world.run(['build', '--min-isolation', 'namespaces', '.'], {
      env: CHROOT,
    });
    expect(exitCode).toBe(1);
    expect(stderr.slice(stderr.indexOf('error['))).toBe(
      [
        'error[step-not-run]: no runtime here isolates steps as namespaces or better: chroot (chroot)',
        '  at Dockerfile:2:1',
        '  1 | FROM busybox',
        '> 2 | RUN true',
        '    | ^^^^^^^^',
        '  hint: --min-isolation chroot',
        '  see docs/errors.md#step-not-run',
        '',
      ].join('\n'),
    );
  });

  test('runs programs of images, but shows them no folder', async ({ world }) => {
    const run = (...args: string[]) => world.run(['run', '--runtime', 'chroot', ...args]);
    expect(await run('busybox', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: 7,
    });
    expect(await run('-v', '.:/mnt', 'busybox', 'true')).toMatchObject({ exitCode: 125 });
    expect(existsSync(world.store)).toBe(true);
  });
});
