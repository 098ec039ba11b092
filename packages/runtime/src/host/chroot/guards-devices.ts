import { closeSync, constants, openSync, readFileSync, rmSync } from 'node:fs';
import { errorCode, FILE_TYPE, makeNode } from '@caisson/sys';

/**
 * Whether something keeps root from opening the disks of this machine: in a container a device cgroup does, or a mount
 * without devices. It is tried out.
 * @param path where a node can be made for the while
 */
export function guardsDevices(path: string): boolean {
  let isRefused = false;
  for (const device of disks()) {
    try {
      makeNode(path, FILE_TYPE.block | 0o600, device);
      closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
      return false;
    } catch (error) {
      isRefused ||= ['EPERM', 'EACCES'].includes(errorCode(error) ?? '');
    } finally {
      rmSync(path, { force: true });
    }
  }
  return isRefused;
}

function disks(): { readonly major: number; readonly minor: number }[] {
  const rows = partitions()
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s/.exec(line));
  return rows.flatMap((row) => (row === null ? [] : [{ major: Number(row[1]), minor: Number(row[2]) }]));
}

function partitions(): string {
  try {
    return readFileSync('/proc/partitions', 'latin1');
  } catch {
    return '';
  }
}
