import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mountsBelow, processesWith } from './leftovers.ts';

/** What a process holds, as counts. */
export interface Holdings {
  readonly fds: number;
  /** Of inotify. */
  readonly watches: number;
  readonly mounts: number;
  /** With those that it started. */
  readonly processes: number;
}

/** What a process that lives on must not hold more and more of. @param folder where its store lies */
export function holdingsOf(pid: number, folder: string): Holdings {
  const fds = readdirSync(`/proc/${pid}/fd`).filter((fd) => !isShortLived(pid, fd));
  const watches = readdirSync(`/proc/${pid}/fdinfo`).flatMap((fd) =>
    (readOr(`/proc/${pid}/fdinfo/${fd}`).match(/^inotify/gm) ?? []).map(String),
  );
  const mounts = mountsBelow(folder).length;
  const host = processesWith(folder).length;
  return {
    fds: fds.length,
    watches: watches.length,
    mounts,
    processes: host,
  };
}

/** Files of the store are open for moments, while old layers are removed. */
function isShortLived(pid: number, fd: string): boolean {
  try {
    return /\/store\/(?!caisson\.db)/.test(readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return true; // it was closed meanwhile
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
