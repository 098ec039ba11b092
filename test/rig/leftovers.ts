import { readdirSync, readFileSync } from 'node:fs';

/** The command lines of processes that name something. */
export function processesWith(text: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return line.includes(text) ? [`${pid} ${line}`] : [];
    } catch {
      return []; // it ended meanwhile
    }
  });
}

/** The mounts below a folder that this process sees. */
export function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.split(' ')[1]?.startsWith(folder));
}

/** Waits until something holds, for a few seconds at most. */
export async function eventually(holds: () => boolean): Promise<boolean> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (holds()) return true;
    await new Promise((resolve) => {
      setTimeout(resolve, 25);
    });
  }
  return holds();
}
