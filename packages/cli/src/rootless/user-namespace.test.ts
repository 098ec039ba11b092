import { describe, expect, test } from 'vitest';
import { makeProgram } from '../program.ts';
import { processTerminal } from '../terminal.ts';
import { needsIds } from './enter-namespace.ts';
import type { Machine } from './machine.ts';
import { userNamespace } from './user-namespace.ts';

interface Facts {
  readonly user?: Machine['user'];
  readonly files?: Readonly<Record<string, string>>;
  readonly lacks?: readonly string[];
  readonly refusal?: string;
}

const ALICE = { name: 'alice', uid: 1000, gid: 100 };
const IDS = { '/etc/subuid': 'bob:100000:65536\nalice:165536:65536\n', '/etc/subgid': 'alice:300000:1000\n' };

/** A machine on which all is as it should be, but for what is said. */
function machine({ user = ALICE, files = IDS, lacks = [], refusal }: Facts, calls: string[][] = []): Machine {
  return {
    user,
    read: (path) => files[path],
    find: (program) => (lacks.includes(program) ? undefined : `/usr/bin/${program}`),
    run(file, args) {
      calls.push([file, ...args]);
      return { exitCode: refusal === undefined ? 0 : 1, stderr: refusal ?? '' };
    },
  };
}

/** What is said of a machine. */
function told(facts: Facts): string {
  const namespace = userNamespace(machine(facts));
  return namespace.ok ? 'ok' : `${namespace.error.message}\n${namespace.error.hint}`;
}

describe('the user namespace of an ordinary user', () => {
  test('has the user as root and the first range of subordinate ids from 1 on, and is tried with a mount namespace', () => {
    const calls: string[][] = [];
    const args = ['--user', '--map-root-user', '--map-users=165536,1,65536', '--map-groups=300000,1,1000'];
    expect(userNamespace(machine({}, calls))).toEqual({
      ok: true,
      file: '/usr/bin/unshare',
      args: [...args, '--'],
    });
    expect(calls).toEqual([['/usr/bin/unshare', ...args, '--mount', '--', 'true']]);
  });

  test('a line may name the id of the user; ranges that are added later do not count', () => {
    const files = {
      '/etc/subuid': '1000:500000:65536\nalice:700000:65536\n',
      '/etc/subgid': '1000:600000:65536',
    };
    const namespace = userNamespace(machine({ files }));
    expect(namespace.ok && namespace.args.slice(2, 4)).toEqual([
      '--map-users=500000,1,65536',
      '--map-groups=600000,1,65536',
    ]);
  });

  test('the programs that it needs', () => {
    expect(told({ lacks: ['newuidmap'] })).toBe(
      'newuidmap is needed to build as an ordinary user, and is not installed\n' +
        'apt-get install uidmap (Debian, Ubuntu), dnf install shadow-utils (Fedora), apk add shadow-uidmap (Alpine)',
    );
    expect(told({ lacks: ['unshare'] })).toBe('unshare of util-linux is needed\napt-get install util-linux');
  });

  test('an unshare that knows nothing of ids: they are given by newuidmap itself', () => {
    const calls: string[][] = [];
    const old: Machine = {
      ...machine({}),
      run(file, args) {
        calls.push([file, ...args]);
        const isNew = args.some((arg) => arg.startsWith('--map-users'));
        return {
          exitCode: isNew ? 1 : 0,
          stderr: isNew ? "unshare: unrecognized option '--map-users=1,1,1'" : '',
        };
      },
    };
    const namespace = userNamespace(old);
    const maps = ['sh', '0 1000 1 1 165536 65536', '0 100 1 1 300000 1000'];
    expect(namespace).toMatchObject({ ok: true, file: '/bin/sh' });
    expect(namespace.ok && namespace.args.slice(2)).toEqual(maps);
    expect(calls[1]?.slice(3)).toEqual([...maps, '/usr/bin/unshare', '--mount', 'true']);
  });

  test('no line in /etc/subuid or /etc/subgid: a range that is free', () => {
    expect(told({ files: {} })).toBe(
      'user alice has no subordinate ids: there is no line for alice in /etc/subuid\n' +
        'once: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 alice',
    );
    expect(told({ files: { '/etc/subuid': IDS['/etc/subuid'], '/etc/subgid': 'bob:100000:65536' } })).toBe(
      'user alice has no subordinate ids: there is no line for alice in /etc/subgid\n' +
        'once: sudo usermod --add-subuids 231072-296607 --add-subgids 231072-296607 alice',
    );
  });

  test('a user without a name', () => {
    const { user: _user, ...nameless } = machine({});
    expect(userNamespace({ ...nameless, user: undefined })).toEqual({
      ok: false,
      error: {
        message: 'this user has no name in /etc/passwd, and subordinate ids are given to names',
        hint: 'as root it works: sudo caisson',
      },
    });
  });

  test.each([
    ['user.max_user_namespaces', '0', '15000'],
    ['kernel.unprivileged_userns_clone', '0', '1'],
    ['kernel.apparmor_restrict_unprivileged_userns', '1', '0'],
  ])('switched off by %s', (sysctl, off, on) => {
    const files = { ...IDS, [`/proc/sys/${sysctl.replace('.', '/')}`]: `${off}\n` };
    expect(told({ files })).toBe('ok'); // AppArmor may have a profile that allows it
    expect(told({ files, refusal: 'unshare: unshare failed: No space left on device' })).toBe(
      `this machine gives ordinary users no user namespaces: ${sysctl} is ${off}\n` +
        `sudo sysctl ${sysctl}=${on}; a line in /etc/sysctl.d keeps it`,
    );
  });

  test('a process that may gain no privileges', () => {
    const files = { ...IDS, '/proc/self/status': 'Name:\tnode\nNoNewPrivs:\t1\n' };
    expect(told({ files, refusal: 'newuidmap: write to uid_map failed: Operation not permitted' })).toBe(
      'newuidmap can do nothing here: this process may gain no privileges (no_new_privs)\n' +
        'start it without that: a container without allowPrivilegeEscalation=false, a service without NoNewPrivileges',
    );
  });

  test('what nobody foresaw, in the words of unshare', () => {
    expect(told({ refusal: 'unshare: unshare failed: Operation not permitted\n' })).toBe(
      'no user namespace can be made here: unshare: unshare failed: Operation not permitted\n' +
        'in a container, be root: it is root of that container alone; elsewhere as root it works: sudo caisson',
    );
  });
});

test.each([
  ['build .', true],
  ['--root x build .', true],
  ['run busybox ls --help', true],
  ['unshare node build.mjs --help', true],
  ['unshare --help', false],
  ['build --help', false],
  ['build --check .', false],
  ['build --call=outline .', false],
  ['check', false],
  ['images', false],
  ['--root run images', false],
  ['--version', false],
  ['', false],
])('%j needs subordinate ids: %j', (line, expected) => {
  expect(needsIds(line.split(' '))).toBe(expected);
});

/** Those that only read, and what they read is the user's. A new command belongs here, or to those that need ids. */
const READING =
  'check-ignore check explain builds logs images inspect history completion version __complete'.split(' ');

test('of every command it is known whether it does', () => {
  const program = makeProgram({ terminal: processTerminal(), finish: () => {} });
  const names = program.commands.map((command) => command.name());
  expect(names.filter((name) => !needsIds([name]))).toEqual(READING);
});
