import { existsSync, statSync } from 'node:fs';
import type { BindMount, ProgramSpec } from '../sandbox-spec.ts';
import { DEVICES, SYSTEM_MOUNTS, type SystemMount } from '../profile.ts';
import { lookUpAccount, type Account } from './account.ts';
import { checkArguments } from './argument-length.ts';
import { findExecutable } from './executable.ts';
import type { MountTargets } from './mount-targets.ts';
import { hostsFile, type NetworkFiles } from './network-files.ts';
import { RootFolder } from './root-folder.ts';
import { RuntimeError } from '../errors.ts';
import { bytesOf, cleanPath, textOf } from '@caisson/layer';
import { inUserNamespace, UNMAPPED_HINT, unmappedText } from '@caisson/sys';

/** A sandbox that is ready to be started by any runtime: everything in it is resolved and made. */
export interface PreparedSandbox {
  readonly id: string;
  /** A folder of the host's for what the runtime needs. */
  readonly folder: string;
  /** The root, mounted. */
  readonly root: string;
  readonly spec: ProgramSpec;
  /** The program as it is to be started; its `args` begin with the name that was given. */
  readonly executable: string;
  readonly env: readonly string[];
  readonly account: Account;
  readonly systemMounts: readonly SystemMount[];
  /** Device nodes of the host, and files that replace the image's. */
  readonly binds: readonly BindMount[];
}

/**
 * Prepares a mounted root for what is to run in it.
 * @param shown what else of the host is shown in it
 * @throws RuntimeError `no-such-user`, `no-such-command`, `unsafe-path`; `unsupported` for what the kernel does not take
 */
export function prepareSandbox(
  {
    id,
    folder,
    root: rootPath,
    spec,
    shown,
  }: Pick<PreparedSandbox, 'id' | 'folder' | 'root' | 'spec'> & { readonly shown: readonly BindMount[] },
  networkFiles: NetworkFiles,
  targets: MountTargets,
): PreparedSandbox {
  const root = new RootFolder(rootPath);
  const account = lookUpAccount(root, spec.user);
  const unmapped = unmappedText('the step runs as', account);
  if (unmapped !== undefined) throw new RuntimeError('no-such-user', unmapped, { hint: UNMAPPED_HINT });
  const env = withHome(spec.env, account.home);
  checkArguments(spec.args, env);
  const { systemMounts, systemBinds } = systemMountsIn(targets, spec);
  makeCwd(root, spec.cwd, account);
  const executable = findExecutable(root, spec, env, shown);
  const device = devicePath(systemMounts);
  const binds: BindMount[] = [
    ...systemBinds,
    ...DEVICES.filter((name) => existsSync(`/dev/${name}`)).map((name) => ({
      source: `/dev/${name}`,
      target: `${device}/${name}`,
      isReadOnly: false,
    })),
    { source: networkFiles.resolvConf, target: targets.file('/etc/resolv.conf'), isReadOnly: true },
    {
      source: hostsFile(networkFiles, folder, spec),
      target: targets.file('/etc/hosts'),
      isReadOnly: true,
    },
    ...shown.map((bind) => ({ ...bind, target: bindTarget(targets, bind, device) })),
  ];
  return { id, folder, root: rootPath, spec, executable, env, account, systemMounts, binds };
}

function withHome(env: readonly string[], home: string): readonly string[] {
  return env.some((each) => each.startsWith('HOME=')) ? env : [...env, `HOME=${home}`];
}

/** The system's mounts, where the image's own links lead: one may say that /dev is elsewhere. */
function systemMountsIn(
  targets: MountTargets,
  { limits, network }: ProgramSpec,
): { readonly systemMounts: readonly SystemMount[]; readonly systemBinds: readonly BindMount[] } {
  const folders = new Map(['/proc', '/dev', '/sys'].map((path) => [path, targets.keptFolder(path)]));
  for (const [path, target] of folders) {
    if (target === '/') throw new RuntimeError('unsafe-path', `the image's ${path} is a link to its root`);
  }
  // A user namespace may mount no sysfs of a network that is not its own: it is shown what is there.
  const isShown = ({ type }: SystemMount): boolean =>
    type === 'sysfs' && network === 'host' && inUserNamespace();
  const mounts = SYSTEM_MOUNTS.map((mount) => {
    const [, top = '', ...rest] = mount.target.split('/');
    const place = folders.get(`/${top}`) ?? `/${top}`;
    const target = [place, ...rest].join('/');
    const shmSize = limits?.shmSize;
    if (mount.target !== '/dev/shm' || shmSize === undefined) return { ...mount, target };
    const options = mount.options.map((option) => (option.startsWith('size=') ? `size=${shmSize}` : option));
    return { ...mount, target, options };
  });
  return {
    systemMounts: mounts.filter((mount) => !isShown(mount)),
    systemBinds: mounts.filter(isShown).map(({ target }) => ({ source: '/sys', target, isReadOnly: true })),
  };
}

/** Where the devices of a sandbox lie. */
export function devicePath(mounts: readonly SystemMount[]): string {
  return mounts.find((mount) => mount.type === 'tmpfs')?.target ?? '/dev';
}

/** A working folder that is missing is made, as docker does. One below /proc could lead to the host's descriptors. */
function makeCwd(root: RootFolder, cwd: string, account: Account): void {
  const lexical = cleanPath(bytesOf(cwd));
  const { path, kind } = root.follow(cwd);
  for (const each of [lexical, path]) {
    if (each === 'proc' || each.startsWith('proc/')) {
      throw new RuntimeError('unsafe-path', `the working folder ${cwd} lies in /proc`);
    }
  }
  if (kind === undefined) root.makeFolders(path, account);
  else if (kind.type !== 'directory')
    throw new RuntimeError('unsafe-path', `the working folder ${cwd} is no folder`);
}

/** What is mounted below /dev lies in the sandbox's own: the runtimes make the place there. */
function bindTarget(targets: MountTargets, { source, target }: BindMount, device: string): string {
  if (target.startsWith('/dev/'))
    return `${device}/${textOf(cleanPath(bytesOf(target.slice('/dev/'.length))))}`;
  return isFolder(source) ? targets.folder(target) : targets.file(target);
}

function isFolder(path: string): boolean {
  return statSync(path).isDirectory();
}
