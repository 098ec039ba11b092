import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  becomeUser,
  bringUpLoopback,
  copyDescriptor,
  errorCode,
  mount,
  MOUNT,
  pivotRoot,
  setHostname,
  setUmask,
  unmount,
} from '@caisson/sys';
import { DEVICE_LINKS, MASKED_PATHS, READ_ONLY_PATHS, type SystemMount } from '../profile.ts';
import type { BindMount } from '../sandbox-spec.ts';
import { isInitSpec, PASSED_ERRORS, type InitSpec } from './init-spec.ts';
import { becomeProgram, prepareProgram, runInit } from './init.ts';

/*
 * The first process of a sandbox that is made of namespaces alone. It starts in new mount, pid, ipc and uts namespaces
 * and turns them into a container, in this order:
 *
 *   mounts, in the new root -> pivot_root, the old root gone -> masked and read-only paths -> who it is, what it may
 *   do -> the step's program
 *
 * It leaves by becoming that program.
 */

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
  copyDescriptor(PASSED_ERRORS, 2);
  prepareProgram(spec);
  becomeUser(spec.identity, spec.capabilities);
  return becomeProgram(spec);
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

runInit(isInitSpec, enterSandbox);
