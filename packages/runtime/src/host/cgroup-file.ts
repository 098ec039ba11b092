import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '@caisson/sys';

/** Files that are there only where the kernel counts swap. Without swap there is nothing to limit. */
const OPTIONAL: ReadonlySet<string> = new Set(['memory.memsw.limit_in_bytes', 'memory.swap.max']);

/** Writes to a file of a cgroup, which the kernel has made. @throws Error of the file system */
export function writeCgroupFile(folder: string, file: string, value: string): void {
  try {
    writeFileSync(join(folder, file), value, { flag: 'r+' });
  } catch (error) {
    if (!OPTIONAL.has(file) || errorCode(error) !== 'ENOENT') throw error;
  }
}
