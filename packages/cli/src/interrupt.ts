import { EXIT } from './exit-codes.ts';
import { failureText } from './failure-text.ts';
import type { Terminal } from './terminal.ts';
import { onUnread } from './unread.ts';

/** Signals that end a command, and that nobody reads any more what it writes. */
export interface Interrupt extends Disposable {
  /** Aborted at the first signal; a second one ends the process at once. */
  readonly signal: AbortSignal;
  /** The exit code that says so; undefined while there was no signal. */
  readonly exitCode: number | undefined;
}

const CODES = {
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
  SIGHUP: EXIT.hungUp,
} as const;

/** Lets a command end in order when it is told to end: what it started is gone when it is. */
export function onInterrupt(): Interrupt {
  const abort = new AbortController();
  let exitCode: number | undefined;
  const unread = onUnread(() => {
    exitCode ??= EXIT.unread;
    abort.abort();
  });
  const handlers = Object.entries(CODES).map(([name, code]) => {
    const handler = (): void => {
      if (exitCode !== undefined) process.exit(code); // the kernel takes the rest away
      exitCode = code;
      abort.abort();
    };
    process.on(name, handler);
    return { name, handler };
  });
  return {
    signal: abort.signal,
    get exitCode() {
      return exitCode;
    },
    [Symbol.dispose]() {
      unread[Symbol.dispose]();
      for (const { name, handler } of handlers) process.off(name, handler);
    },
  };
}

/**
 * Does work that gives up with an error when the command is told to end; that is told as what it is.
 * @param what the work, as people call it
 * @returns what it came to; undefined where it was given up
 */
export async function unlessInterrupted<T>(
  interrupt: Interrupt,
  { error: write, hasColor }: Pick<Terminal, 'error' | 'hasColor'>,
  what: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (interrupt.exitCode === undefined) throw error;
    write(failureText({ code: 'cancelled', message: `${what} was cancelled` }, hasColor));
    return undefined;
  }
}
