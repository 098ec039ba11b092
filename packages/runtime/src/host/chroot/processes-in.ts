import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asFileUser, errorCode } from '@caisson/sys';
import { RuntimeError } from '../../errors.ts';

const ROUNDS = 2000;
const PAUSE_MS = 5;

/**
 * Ends all processes that have a folder as their root: whatever a step started, whoever its parent is by now. None of
 * them can have another root, since they may not change it.
 * @param root as the kernel calls it: without any link
 * @throws RuntimeError `sandbox-failed` where they cannot be ended
 */
export async function endProcessesIn(root: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const processes = processesIn(root);
    if (processes.length === 0) return;
    for (const pid of processes) kill(pid);
    await sleep(PAUSE_MS);
  }
  throw new RuntimeError('sandbox-failed', 'processes that the step started cannot be ended', {
    hint: `they have the root ${root}`,
  });
}

function processesIn(root: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => rootOf(pid) === root);
}

/** Undefined where it has ended, or is not ours to see. */
function rootOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/root`);
  } catch (error) {
    return errorCode(error) === 'EACCES' ? rootOfOther(pid) : undefined;
  }
}

/** Of a process of another user, as that user sees it: root of a stock container does not. */
function rootOfOther(pid: number): string | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const [uid, gid] = [/^Uid:\t(\d+)/m, /^Gid:\t(\d+)/m].map((line) => line.exec(status)?.[1]);
    if (uid === undefined || gid === undefined) return undefined;
    return asFileUser({ uid: Number(uid), gid: Number(gid) }, () => readlinkSync(`/proc/${pid}/root`));
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
