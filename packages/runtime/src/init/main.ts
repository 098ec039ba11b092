import {
  fchownSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import {
  becomeUser,
  beginSession,
  bringUpLoopback,
  changeFolder,
  closeOnExecFrom,
  errorCode,
  execve,
  mount,
  MOUNT,
  passOnStandardStreams,
  pivotRoot,
  resetSignals,
  setHostname,
  setResourceLimit,
  setUmask,
  unmount,
} from '@caisson/sys';
import {
  DEVICE_LINKS,
  MASKED_PATHS,
  READ_ONLY_PATHS,
  STEP_CAPABILITIES,
  type SystemMount,
} from '../profile.ts';
import { RESOURCES } from '../limits.ts';
import type { BindMount } from '../sandbox-spec.ts';
import { isInitSpec, type InitSpec } from './init-spec.ts';

/*
 * The first process of a sandbox that is made of namespaces alone. It starts in new mount, pid, ipc and uts namespaces
 * and turns them into a container, in this order:
 *
 *   mounts, in the new root -> pivot_root, the old root gone -> masked and read-only paths -> who it is, what it may
 *   do -> the step's program
 *
 * It leaves by becoming that program. If anything fails before, it says so in a file that it opened at the start, and
 * nothing of the step has run.
 */

const COMMAND_NOT_RUN = 126;

function main(specPath: string): void {
  const spec: unknown = JSON.parse(readFileSync(specPath, 'utf8'));
  if (!isInitSpec(spec)) throw new Error('Internal error: the init got something else than what it is to do');
  const problem = openSync(spec.problem, 'w');
  try {
    enterSandbox(spec);
  } catch (error) {
    writeSync(problem, error instanceof Error ? error.message : String(error));
    process.exit(COMMAND_NOT_RUN);
  }
}

function enterSandbox(spec: InitSpec): never {
  setUmask(0o022);
  for (const each of spec.systemMounts) mountSystem(spec.root, each);
  makeDeviceLinks(spec);
  for (const bind of spec.binds) mountBind(spec.root, bind);
  enterRoot(spec.root);
  for (const path of MASKED_PATHS) mask(path);
  for (const path of READ_ONLY_PATHS) makeReadOnly(path);
  setHostname(spec.hostname);
  if (spec.network === 'none') bringUpLoopback();
  for (const fd of [1, 2]) giveStream(fd, spec.identity.uid);
  beginSession();
  closeOnExecFrom(3);
  passOnStandardStreams();
  resetSignals();
  for (const { resource, soft, hard } of spec.ulimits) setResourceLimit(RESOURCES[resource], soft, hard);
  becomeUser(spec.identity, STEP_CAPABILITIES);
  changeFolder(spec.cwd);
  return execve(spec.executable, [spec.executable, ...spec.args.slice(1)], spec.env);
}

const FLAGS: Readonly<Record<string, number>> = {
  nosuid: MOUNT.noSuid,
  nodev: MOUNT.noDev,
  noexec: MOUNT.noExec,
  ro: MOUNT.readOnly,
  strictatime: MOUNT.strictAtime,
};

function mountSystem(root: string, { target, type, options }: SystemMount): void {
  const at = `${root}${target}`;
  mkdirSync(at, { recursive: true });
  const flags = options.reduce((sum, option) => sum | (FLAGS[option] ?? 0), 0);
  const data = options.filter((option) => FLAGS[option] === undefined).join(',');
  mount({ source: type, target: at, type, flags, ...(data === '' ? {} : { data }) });
}

function makeDeviceLinks({ root, systemMounts }: InitSpec): void {
  const device = systemMounts.find((each) => each.type === 'tmpfs')?.target ?? '/dev';
  for (const [name, target] of Object.entries(DEVICE_LINKS)) symlinkSync(target, `${root}${device}/${name}`);
}

function mountBind(root: string, { source, target, isReadOnly }: BindMount): void {
  const at = `${root}${target}`;
  const stat = statSync(source);
  // What lies in the root is there already; /dev is empty.
  mkdirSync(stat.isDirectory() ? at : dirname(at), { recursive: true });
  if (!stat.isDirectory()) writeFileSync(at, '', { flag: 'a' });
  mount({ source, target: at, flags: MOUNT.bind | MOUNT.recursive });
  const limits = stat.isCharacterDevice() ? MOUNT.noSuid | MOUNT.noExec : MOUNT.noSuid | MOUNT.noDev;
  mount({ target: at, flags: MOUNT.bind | MOUNT.remount | limits | (isReadOnly ? MOUNT.readOnly : 0) });
}

/** Makes the root the only one: the old one is detached, so that there is nothing to walk out to. */
function enterRoot(root: string): void {
  process.chdir(root);
  // Both at the same place: the old root comes to lie over the new one, and is taken off.
  pivotRoot('.', '.');
  unmount('.', 'detach');
  process.chdir('/');
}

function mask(path: string): void {
  try {
    if (statSync(path).isDirectory()) {
      mount({ source: 'tmpfs', target: path, type: 'tmpfs', flags: MOUNT.readOnly, data: 'size=0k' });
    } else {
      mount({ source: '/dev/null', target: path, flags: MOUNT.bind });
    }
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

function makeReadOnly(path: string): void {
  try {
    mount({ source: path, target: path, flags: MOUNT.bind | MOUNT.recursive });
    const limits = MOUNT.noSuid | MOUNT.noDev | MOUNT.noExec;
    mount({ target: path, flags: MOUNT.bind | MOUNT.remount | MOUNT.readOnly | limits });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** A pipe belongs to who made it; a step that is not root must be able to open /dev/stdout all the same. */
function giveStream(fd: number, uid: number): void {
  try {
    fchownSync(fd, uid, -1);
  } catch {
    // A terminal or file of the caller's: it stays as it is.
  }
}

const specPath = process.argv[2];
if (specPath === undefined) throw new Error('Internal error: the init needs to know what to do');
main(specPath);
