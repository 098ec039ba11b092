import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_TYPE, makeNode, splitDevice } from '@caisson/sys';
import { DEVICE_LINKS, DEVICES, type SystemMount } from '../../profile.ts';
import type { NamedOutput } from './named-output.ts';
import type { Placements } from './placements.ts';

/** What says something of the machine: as it was when the step began. */
const OF_MACHINE = [
  'cpuinfo',
  'filesystems',
  'loadavg',
  'meminfo',
  'stat',
  'swaps',
  'uptime',
  'version',
  'sys/kernel/cap_last_cap',
  'sys/kernel/ngroups_max',
  'sys/kernel/osrelease',
  'sys/kernel/ostype',
  'sys/kernel/pid_max',
  'sys/vm/overcommit_memory',
];
/** What a process asks of itself and cannot do without: Node.js how much memory it has. It is told what this one has. */
const OF_PROCESS = ['self/stat', 'self/statm'];
const EMPTY = ['mounts', 'self/mountinfo', 'self/mounts'];

/**
 * Puts folders in the place of /dev, /proc and /sys: the first with the devices that every sandbox has, the second with
 * copies of what says something of the machine, the third empty.
 */
export function placeSystemFolders(
  mounts: readonly SystemMount[],
  folder: string,
  placements: Placements,
  output: NamedOutput,
): void {
  for (const { type, target } of mounts) {
    const made = join(folder, `system-${type}`);
    switch (type) {
      case 'tmpfs':
        if (target.endsWith('/shm')) break; // in that of /dev
        makeDevices(made);
        output.moveTo(made); // in the place of links
        placements.place(made, target);
        break;
      case 'proc':
        makeProc(made);
        placements.place(made, target);
        break;
      case 'sysfs':
        mkdirSync(made, { mode: 0o555 });
        placements.place(made, target);
        break;
      case 'devpts':
      case 'mqueue':
        break;
    }
  }
}

function makeDevices(folder: string): void {
  makeFolder(folder, 0o755);
  for (const name of DEVICES) {
    const stats = statSync(`/dev/${name}`, { bigint: true, throwIfNoEntry: false });
    if (stats?.isCharacterDevice() !== true) continue;
    makeNode(join(folder, name), FILE_TYPE.char | 0o600, splitDevice(stats.rdev));
    chmodSync(join(folder, name), 0o666);
  }
  for (const [name, target] of Object.entries(DEVICE_LINKS)) symlinkSync(target, join(folder, name));
  makeFolder(join(folder, 'shm'), 0o1777);
  makeFolder(join(folder, 'mqueue'), 0o1777);
  makeFolder(join(folder, 'pts'), 0o755);
}

function makeProc(folder: string): void {
  for (const at of ['', 'self', 'sys', 'sys/kernel', 'sys/vm']) makeFolder(join(folder, at), 0o755);
  for (const name of [...OF_MACHINE, ...OF_PROCESS]) {
    const bytes = readIfThere(join('/proc', name));
    if (bytes !== undefined) writeReadable(join(folder, name), bytes);
  }
  for (const name of EMPTY) writeReadable(join(folder, name), '');
}

/** The umask is not asked. */
function writeReadable(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content);
  chmodSync(path, 0o444);
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** The umask is not asked. */
function makeFolder(path: string, mode: number): void {
  mkdirSync(path);
  chmodSync(path, mode);
}
