import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { bareEnvironment, CAISSON } from '../rig/caisson.ts';
import { processesWith } from '../rig/leftovers.ts';
import { TerminalRun } from '../rig/tmux.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const RUNTIMES = ['namespaces', 'crun', 'runc'] as const;

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'crun', 'runc')).each(RUNTIMES)(
  'caisson run with %s',
  (runtime) => {
    const run = (world: World, args: readonly string[], options = {}) =>
      world.run(['run', '--runtime', runtime, ...args], options);

    test('passes output, input and the exit code on, and nothing else', async ({ world }) => {
      expect(await run(world, ['busybox', 'sh', '-c', 'echo out; echo err >&2; exit 7'])).toEqual({
        stdout: 'out\n',
        stderr: 'err\n',
        exitCode: 7,
      });
      expect(await run(world, ['-i', 'busybox', 'cat'], { input: 'some input\n' })).toEqual({
        stdout: 'some input\n',
        stderr: '',
        exitCode: 0,
      });
      expect((await run(world, ['busybox', 'sh', '-c', 'sh -c "kill -9 \\$\\$"; exit $?'])).exitCode).toBe(
        137,
      );
    });

    test('gives environment, user, folder and files', async ({ world }) => {
      mkdirSync(join(world.context, 'shown'));
      writeFileSync(join(world.context, 'shown/file'), 'shown\n');
      const script = 'echo $A-$B; id -u; id -g; pwd; cat /mnt/file; touch /mnt/new /ro/new';
      const ended = await run(
        world,
        [
          ...'-e A=1 -e B -u 1000:50 -w /some/where -v ./shown:/mnt -v ./shown:/ro:ro busybox'.split(' '),
          'sh',
          '-c',
          script,
        ],
        { env: { B: 'from outside' } },
      );
      expect(ended.stdout).toBe('1-from outside\n1000\n50\n/some/where\nshown\n');
      expect(ended.stderr).toContain('touch: /ro/new: Read-only file system\n');
      expect(existsSync(join(world.context, 'shown/new'))).toBe(false); // not theirs to write
    });

    test('keeps nothing of what is changed', async ({ world }) => {
      await run(world, ['busybox', 'sh', '-c', 'echo x > /changed; rm -r /home']);
      expect((await run(world, ['busybox', 'ls', '/'])).stdout).toBe(
        'bin\ndev\netc\nhome\nproc\nroot\nsbin\nsys\ntmp\nusr\nvar\n',
      );
    });

    test("says why it could not run anything, with docker's exit codes", async ({ world }) => {
      expect(await run(world, ['busybox', 'nothing'])).toMatchObject({
        exitCode: 127,
        stderr:
          'error[no-such-command]: the image has no program "nothing" in its PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)\n  see docs/errors.md#no-such-command\n',
      });
      expect(await run(world, ['busybox', '/etc/passwd'])).toMatchObject({
        exitCode: 126,
        stderr: 'error[not-executable]: /etc/passwd is not executable\n  see docs/errors.md#not-executable\n',
      });
      expect(await run(world, ['--pull', 'never', 'nothing'])).toMatchObject({
        exitCode: 125,
        stderr:
          'error[no-such-image]: no image is named nothing:latest\n  hint: caisson images lists what is there\n  see docs/errors.md#no-such-image\n',
      });
      expect((await run(world, ['-u', 'nobody2', 'busybox', 'true'])).exitCode).toBe(125);
    });

    test('passes signals on; the third ends what is deaf', async ({ world }) => {
      await world.ok(['pull', 'busybox']);
      const script = 'trap "echo got it; exit 3" TERM; touch /mnt/ready; while :; do sleep 0.05; done';
      const start = (text: string) =>
        execa(
          process.execPath,
          [CAISSON, 'run', '--runtime', runtime, '-v', '.:/mnt', 'busybox', 'sh', '-c', text],
          {
            env: bareEnvironment(world.store),
            extendEnv: false,
            cwd: world.context,
            reject: false,
            timeout: 60_000,
          },
        );
      const ready = join(world.context, 'ready');
      const begun = async (started: ReturnType<typeof start>): Promise<void> => {
        const isOver = started.then(({ stderr }) => expect(stderr).toBe('nothing: it is to go on'));
        isOver.catch(() => {}); // of interest until it has begun
        while (!existsSync(ready)) await Promise.race([sleep(10), isOver]);
        rmSync(ready);
      };
      const heard = start(script);
      await begun(heard);
      heard.kill('SIGTERM');
      expect(await heard).toMatchObject({ exitCode: 3, stdout: 'got it' });
      const deaf = start('trap "" INT; touch /mnt/ready; exec sleep 1000');
      await begun(deaf);
      // Of two that come while a process is not let run, the kernel keeps one: then there are more.
      for (const wait of [0, 100, 100, 5000, 5000]) {
        await Promise.race([sleep(wait), deaf]);
        deaf.kill('SIGINT');
      }
      expect(await deaf).toMatchObject({ exitCode: 130 });
    });

    test('shows what the sandbox may do', async ({ world }) => {
      const script = [
        'grep ^CapEff /proc/self/status',
        'ls /proc/self/fd | tr "\\n" " "; echo',
        'cat /proc/1/comm',
        'ls /dev | tr "\\n" " "; echo',
        'cat /proc/kcore | head -c1 | wc -c; ls /sys/firmware | wc -l',
        'echo x > /proc/sys/kernel/hostname',
        'mount -t tmpfs t /tmp 2>&1 | grep -c -i "denied\\|permitted"',
        'mknod /tmp/sda b 8 0 && head -c1 /tmp/sda',
        'hostname',
      ].join('\n');
      const { stdout, stderr } = await run(world, ['busybox', 'sh', '-c', script]);
      const [capabilities, descriptors, init, devices, ...rest] = stdout.split('\n');
      expect(capabilities).toBe('CapEff:\t00000000a80425fb');
      expect(descriptors).toBe('0 1 2 3 '); // 3 is that of ls itself
      expect(init).toBe('sh');
      expect(devices?.trim().split(' ')).toEqual(
        expect.arrayContaining([
          'fd',
          'full',
          'null',
          'ptmx',
          'pts',
          'random',
          'shm',
          'tty',
          'urandom',
          'zero',
        ]),
      );
      expect(devices).not.toMatch(/sd|vd|loop|mem|kmsg|fuse|kvm/);
      expect(rest).toEqual(['0', '0', '1', 'buildkitsandbox', '']);
      expect(stderr).toContain('/proc/sys/kernel/hostname: Read-only file system');
      expect(stderr).toContain('/tmp/sda: ');
    });
  },
);

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('caisson run', () => {
  test('keeps image entry points, commands and users', async ({ world }) => {
    world.write({
      Dockerfile:
        'FROM busybox\nUSER bin\nWORKDIR /w\nENV A=image\nENTRYPOINT ["echo", "entry"]\nCMD ["command"]\n',
    });
    await world.build(['-t', 'app']);
    const out = async (...args: string[]): Promise<string> => (await world.ok(['run', ...args])).stdout;
    expect(await out('app')).toBe('entry command\n');
    expect(await out('app', 'other')).toBe('entry other\n');
    expect(await out('--entrypoint', 'id', 'app', '-un')).toBe('bin\n');
    expect(await out('--entrypoint', 'sh', '-e', 'A=mine', 'app', '-c', 'echo $A $PWD')).toBe('mine /w\n');
  });

  test('gives a terminal', async ({ world }) => {
    await world.ok(['pull', 'busybox']);
    // What it says goes to a file: script(1) may end before it has passed on all of the output.
    const script = 'test -t 0 && test -t 1 && echo "a terminal, $TERM" > /mnt/said';
    const line = `${process.execPath} ${CAISSON} run -it -v .:/mnt busybox sh -c '${script}'`;
    await execa('script', ['-qec', line, '/dev/null'], {
      env: bareEnvironment(world.store),
      extendEnv: false,
      cwd: world.context,
    });
    expect(readFileSync(join(world.context, 'said'), 'utf8')).toBe('a terminal, xterm\n');
  });

  const TERMINALS = ['crun', 'runc', 'namespaces', 'chroot'] as const;
  describe.each(TERMINALS)('its terminal, by %s', (runtime) => {
    const isMissing = runtime === 'crun' || runtime === 'runc' ? lacks(runtime, 'tmux') : lacks('tmux');
    const shell = `'${process.execPath}' '${CAISSON}' run -it --runtime ${runtime} busybox sh`;

    test.skipIf(isMissing)("has the size of the caller's", async ({ world }) => {
      await world.ok(['pull', 'busybox']);
      const script = 'while sleep 0.1; do echo "size $(stty size)"; done';
      const args = ['run', '-it', '--runtime', runtime, 'busybox', 'sh', '-c', script];
      await using run = await TerminalRun.start(world, args, { columns: 70, rows: 20 });
      await run.shows('size 20 70');
      await run.resize({ columns: 61, rows: 15 });
      await run.shows('size 15 61');
      await run.press('C-c');
      await run.shows('exit code 130');
    });

    test.skipIf(isMissing)(
      'is one that a shell can work in, and leaves the other as it was',
      async ({ world }) => {
        await world.ok(['pull', 'busybox']);
        const command = `stty -g > before; ${shell}; echo "exit code $?"; stty -g > after; echo over; exec sleep 600`;
        await using run = await TerminalRun.open(world, command, { columns: 70, rows: 20 });
        await run.shows('/ #');
        await run.type('tty; sleep 600');
        await run.press('Enter');
        // Isolation chroot mounts nothing: there its device has no name.
        await run.shows(runtime === 'chroot' ? 'not a tty' : /^\/dev\/(?:pts\/0|console)$/m);
        await run.press('C-c');
        await run.type('echo "after $?"; cat');
        await run.press('Enter');
        await run.shows(/^after 130$/m);
        await run.press('C-z');
        await run.shows(/\[1\]\+ +Stopped +cat/);
        await run.type('exit 3');
        await run.press('Enter');
        await run.shows('You have stopped jobs');
        await run.type('exit 3');
        await run.press('Enter');
        const lines = await run.shows('over');
        expect(lines.join('\n')).not.toMatch(/job control|access tty/);
        expect(lines.join('\n')).toContain('exit code 3');
        const mode = (name: string): string => readFileSync(join(world.context, name), 'utf8');
        expect(mode('after')).toBe(mode('before'));
      },
    );

    test.skipIf(isMissing)('may have another size when nobody reads it any more', async ({ world }) => {
      await world.ok(['pull', 'busybox']);
      const script = 'trap "" HUP; echo ready; sleep 1; echo more; sleep 1.5; exit 7';
      const run = `'${process.execPath}' '${CAISSON}' run -it --runtime ${runtime} busybox sh -c '${script}'`;
      world.write({ script: `${run} | head -n 1; echo "exit code \${PIPESTATUS[0]}"; exec sleep 600\n` });
      await using shown = await TerminalRun.open(world, 'bash ./script', { columns: 70, rows: 20 });
      await shown.shows('ready');
      await sleep(1500);
      await shown.resize({ columns: 61, rows: 15 });
      expect(await shown.shows('exit code')).toEqual(['ready', 'exit code 7']);
    });

    test.skipIf(isMissing)('is not typed in without -i, and goes when nobody reads it', async ({ world }) => {
      await world.ok(['pull', 'busybox']);
      const run = `'${process.execPath}' '${CAISSON}' run --runtime ${runtime}`;
      const script = 'test -t 0 && echo one && echo two > /dev/stdout && echo three > /dev/stderr; exit 3';
      const commands = [
        `${run} -t busybox sh -c '${script}'; echo "exit code $?"`,
        `${run} -it busybox yes | head -n 1`,
      ];
      const command = `${commands.join('; ')}; echo over; exec sleep 600`;
      await using shown = await TerminalRun.open(world, command, { columns: 70, rows: 20 });
      const lines = await shown.shows('over');
      const said = ['one', 'two', 'three', 'exit code 3', 'y', 'over'];
      expect(lines).toEqual(said);
    });
  });

  test.skipIf(lacks('crun', 'runc', 'tmux'))(
    'ends when its terminal goes',
    { timeout: 60_000 },
    async ({ world }) => {
      await world.ok(['pull', 'busybox']);
      const runs = await Promise.all(
        TERMINALS.map(async (runtime) => {
          const args = ['run', '-it', '--runtime', runtime, 'busybox', 'sh'];
          const run = await TerminalRun.start(world, args, { columns: 70, rows: 20 });
          await run.shows('/ #');
          return run;
        }),
      );
      for (const run of runs) await run[Symbol.asyncDispose]();
      const left = (): string[] => [world.folder, 'run -it --runtime'].flatMap(processesWith);
      expect(left()).not.toEqual([]);
      // A shell that is the first process takes no notice of the signal: it is given ten seconds.
      for (let waited = 0; waited < 20_000 && left().length > 0; waited += 250) await sleep(250);
      expect(left()).toEqual([]);
    },
  );

  test('takes a volume for what it is', async ({ world }) => {
    const said = async (text: string): Promise<string> =>
      (await world.run(['run', '-v', text, 'busybox', 'true'])).stderr;
    expect(await said('data:/data')).toBe(
      'error[usage]: --volume "data:/data" names a volume: only folders and files of the host can be shown\n' +
        '  expected: SOURCE:TARGET[:ro]; SOURCE is a path that begins with / or ., TARGET is absolute\n' +
        '  did you mean ./data?\n  see caisson run --help\n',
    );
    expect(await said('/data')).toMatch(/^error\[usage\]: --volume "\/data" is no volume\n/);
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(world.folder);
  });

  test('shows a file of the host, and makes a folder that is missing', async ({ world }) => {
    world.write({ file: 'of the host\n' });
    const script = 'cat /in/file; echo made > /out/file';
    const flags = ['-v', './file:/in/file:ro', '-v', './new/folder:/out'];
    expect((await world.ok(['run', ...flags, 'busybox', 'sh', '-c', script])).stdout).toBe('of the host\n');
    expect(readFileSync(join(world.context, 'new/folder/file'), 'utf8')).toBe('made\n');
    expect(await world.run(['run', '-v', './file/x:/out', 'busybox', 'true'])).toMatchObject({
      exitCode: 125,
      stderr: `error[invalid-request]: cannot make the folder of a volume: ENOTDIR: not a directory, mkdir '${world.context}/file/x'\n  see docs/errors.md#invalid-request\n`,
    });
    expect(await world.run(['run', '-v', '/proc/caisson/x:/out', 'busybox', 'true'])).toMatchObject({
      exitCode: 125,
      stderr: `error[invalid-request]: cannot make the folder of a volume: ENOENT: no such file or directory, mkdir '/proc/caisson'\n  see docs/errors.md#invalid-request\n`,
    });
  });
});
