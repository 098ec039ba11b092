import { mapByHand } from './map-by-hand.ts';
import { freeRange, rangeOf, type IdRange } from './subordinate-ids.ts';
import type { Machine } from './machine.ts';

/** Why there is no user namespace for this user, and what to do about it. */
export interface NoNamespace {
  readonly message: string;
  readonly hint: string;
}

/** How to become root of a user namespace: the words before those of the command. Or why that cannot be. */
export type UserNamespace =
  | { readonly ok: true; readonly file: string; readonly args: readonly string[] }
  | { readonly ok: false; readonly error: NoNamespace };

/** What each system calls the package, for whoever lacks one. */
const NEWUIDMAP_PACKAGES =
  'apt-get install uidmap (Debian, Ubuntu), dnf install shadow-utils (Fedora), apk add shadow-uidmap (Alpine)';

/**
 * A user namespace in which this user is root, and the subordinate ids of the user are all others: files can have owners
 * there, and namespaces of other kinds be made. unshare(1) asks newuidmap(1) and newgidmap(1) for the ids, which look them
 * up in /etc/subuid and /etc/subgid; older ones cannot, and are helped. It is tried, since nothing else says for sure that it works; that takes some 12 ms.
 */
export function userNamespace(machine: Machine): UserNamespace {
  const { user } = machine;
  if (user === undefined) {
    return no('this user has no name in /etc/passwd, and subordinate ids are given to names', AS_ROOT);
  }
  const unshare = machine.find('unshare');
  if (unshare === undefined) return no('unshare of util-linux is needed', 'apt-get install util-linux');
  for (const program of ['newuidmap', 'newgidmap']) {
    if (machine.find(program) === undefined)
      return no(
        `${program} is needed to build as an ordinary user, and is not installed`,
        NEWUIDMAP_PACKAGES,
      );
  }
  const [uids, gids] = [machine.read('/etc/subuid') ?? '', machine.read('/etc/subgid') ?? ''];
  const [uidRange, gidRange] = [rangeOf(uids, user), rangeOf(gids, user)];
  if (uidRange === undefined || gidRange === undefined)
    return noIds(user.name, uidRange === undefined ? '/etc/subuid' : '/etc/subgid', [uids, gids]);
  const args = [
    '--user',
    '--map-root-user',
    `--map-users=${mapped(uidRange)}`,
    `--map-groups=${mapped(gidRange)}`,
  ];
  const { exitCode, stderr } = machine.run(unshare, [...args, '--mount', '--', 'true']);
  if (exitCode === 0) return { ok: true, file: unshare, args: [...args, '--'] };
  if (!/unrecognized option|invalid option/.test(stderr)) return refused(machine, stderr);
  const byHand = mapByHand(user, uidRange, gidRange);
  const tried = machine.run('/bin/sh', [...byHand, unshare, '--mount', 'true']);
  return tried.exitCode === 0 ? { ok: true, file: '/bin/sh', args: byHand } : refused(machine, tried.stderr);
}

/** OUTER,INNER,COUNT: 0 is the user, so the others begin at 1, as with podman and buildah. */
function mapped({ first, count }: IdRange): string {
  return `${first},1,${count}`;
}

const AS_ROOT = 'as root it works: sudo caisson';

function no(message: string, hint: string): UserNamespace {
  return { ok: false, error: { message, hint } };
}

function noIds(name: string, file: string, texts: readonly string[]): UserNamespace {
  const { first, count } = freeRange(texts);
  const ids = `${first}-${first + count - 1}`;
  return no(
    `user ${name} has no subordinate ids: there is no line for ${name} in ${file}`,
    `once: sudo usermod --add-subuids ${ids} --add-subgids ${ids} ${name}`,
  );
}

/** Switches of the kernel and of distributions, the value at which they are off, and that at which they are on. */
const SWITCHES: readonly { readonly sysctl: string; readonly off: string; readonly on: string }[] = [
  { sysctl: 'user.max_user_namespaces', off: '0', on: '15000' },
  { sysctl: 'kernel.unprivileged_userns_clone', off: '0', on: '1' },
  { sysctl: 'kernel.apparmor_restrict_unprivileged_userns', off: '1', on: '0' },
];

function refused(machine: Machine, stderr: string): UserNamespace {
  for (const { sysctl, off, on } of SWITCHES) {
    const value = machine.read(`/proc/sys/${sysctl.replaceAll('.', '/')}`)?.trim();
    if (value !== off) continue;
    return no(
      `this machine gives ordinary users no user namespaces: ${sysctl} is ${value}`,
      `sudo sysctl ${sysctl}=${on}; a line in /etc/sysctl.d keeps it`,
    );
  }
  if (/^NoNewPrivs:\s*1$/m.test(machine.read('/proc/self/status') ?? '')) {
    return no(
      'newuidmap can do nothing here: this process may gain no privileges (no_new_privs)',
      'start it without that: a container without allowPrivilegeEscalation=false, a service without NoNewPrivileges',
    );
  }
  const said = stderr.trim().split('\n').at(-1) ?? '';
  return no(
    `no user namespace can be made here: ${said === '' ? 'unshare said nothing' : said}`,
    `in a container, be root: it is root of that container alone; elsewhere ${AS_ROOT}`,
  );
}
