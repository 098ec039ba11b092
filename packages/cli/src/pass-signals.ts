import { constants } from 'node:os';

/** Signals on their way from the user to a program. */
export interface PassedSignals extends Disposable {
  /** Aborted where the user insists: what runs is to be ended at once. */
  readonly kill: AbortSignal;
  /** The exit code of a command that was ended before there was a program to pass signals to. */
  readonly exitCode: number | undefined;
  /** Says where to pass them from now on. */
  to(pass: (signal: NodeJS.Signals) => void): void;
}

const PASSED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;
const ENDING: ReadonlySet<string> = new Set(['SIGINT', 'SIGTERM']);

/** A program that is the first of its pid namespace may be deaf to a signal: the third time it is ended. */
const PATIENCE = 3;
/** Where the terminal is gone there is nobody to insist: so long after that it is ended, in milliseconds. */
const GRACE = 10_000;

/**
 * Passes signals of this process on to a program that is run. Whether one was ignored when this process began (nohup) is
 * not to be known: Node sets all to their defaults before anything of ours runs.
 */
export function passSignals(): PassedSignals {
  const abort = new AbortController();
  let pass: ((signal: NodeJS.Signals) => void) | undefined;
  let exitCode: number | undefined;
  let endings = 0;
  let grace: NodeJS.Timeout | undefined;
  const end = (signal: NodeJS.Signals): void => {
    exitCode = 128 + constants.signals[signal];
    abort.abort();
  };
  const handlers = PASSED.map((signal) => {
    const handler = (): void => {
      if (ENDING.has(signal)) endings++;
      if (signal === 'SIGHUP') grace ??= setTimeout(() => end(signal), GRACE);
      if (pass !== undefined && endings < PATIENCE) pass(signal);
      else if (signal !== 'SIGWINCH') end(signal);
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  return {
    kill: abort.signal,
    get exitCode() {
      return exitCode;
    },
    to(next) {
      pass = next;
    },
    [Symbol.dispose]() {
      clearTimeout(grace);
      for (const { signal, handler } of handlers) process.off(signal, handler);
    },
  };
}
