import { once } from 'node:events';
import { isatty } from 'node:tty';
import { CircumstancesError } from './usage-error.ts';

/** What a command has of the world: injected, so that tests can look at it. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Writes to the standard output. */
  readonly out: (text: string) => void;
  /** How wide the terminal is that the standard output is; undefined where that is a file or a pipe. */
  readonly outColumns?: number | undefined;
  /** Writes to the standard error. */
  readonly error: (text: string) => void;
  /** Waits until whoever reads the standard output has caught up. */
  readonly drained: () => Promise<void>;
  /** Whether colours may be used on the standard error. */
  readonly hasColor: boolean;
  /** Whether the standard input is a terminal. */
  readonly isInteractive: boolean;
  /** The terminal that the standard error is; undefined where that is a file or a pipe. */
  readonly screen: Screen | undefined;
}

/** How large a terminal is, at this moment. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
}

/** The screen of a terminal that is known to have one. */
export function screenOf({ screen }: Pick<Terminal, 'screen'>): Screen {
  if (screen === undefined) throw new Error('Internal error: there is no terminal');
  return screen;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { env, stdout, stderr } = process;
  return {
    env,
    get cwd() {
      return currentFolder();
    },
    out: (text) => void stdout.write(text),
    outColumns: stdout.isTTY ? stdout.columns || undefined : undefined,
    error: (text) => void stderr.write(text),
    async drained() {
      if (stdout.writableNeedDrain) await once(stdout, 'drain');
    },
    hasColor: hasColor(env, stderr.isTTY),
    isInteractive: isatty(0),
    // Node keeps both numbers in step with the terminal; they are 0 where the terminal does not say.
    screen: stderr.isTTY ? sizeOf(stderr) : undefined,
  };
}

function sizeOf(stream: NodeJS.WriteStream): Screen {
  return {
    get columns() {
      return stream.columns || 80;
    },
    get rows() {
      return stream.rows || 24;
    },
  };
}

function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    throw new CircumstancesError('the current folder is not there any more', { hint: 'cd to another one' });
  }
}

/** @see https://no-color.org and https://force-color.org */
export function hasColor(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '') return env['FORCE_COLOR'] !== '0';
  return isTerminal && env['TERM'] !== 'dumb';
}
