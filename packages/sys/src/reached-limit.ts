import { errorCode } from './syscall-error.ts';

/** A limit of this process that keeps it from going on. */
export interface ReachedLimit {
  readonly message: string;
  readonly hint: string;
}

const FILES: ReachedLimit = {
  message: 'this process may not open any more files',
  hint: 'a limit on open files is too low here (ulimit -n)',
};

const PROCESSES: ReachedLimit = {
  message: 'this process may not start any more processes or threads',
  hint: 'a limit on processes and threads is too low here (ulimit -u, or the pids of a container)',
};

/** The limit that an error speaks of, of the system or of a thread that did not come up; undefined for other errors. */
export function reachedLimit(error: unknown): ReachedLimit | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = errorCode(error);
  const ofThread = code === 'ERR_WORKER_INIT_FAILED';
  const why = ofThread ? error.message.split(' ').at(-1) : code;
  if (why === 'EMFILE' || why === 'ENFILE') return FILES;
  // Elsewhere it says that there is nothing yet.
  const isOfStart = ofThread || ('syscall' in error && String(error.syscall).startsWith('spawn'));
  return why === 'EAGAIN' && isOfStart ? PROCESSES : undefined;
}
