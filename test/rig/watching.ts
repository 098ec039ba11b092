import { execa } from 'execa';
import { bareEnvironment, CAISSON } from './caisson.ts';
import { heapOf } from './heap-of.ts';
import type { World } from './world.ts';

/** A watch that runs. Disposing of it ends it, whatever it does. */
export interface Watching extends AsyncDisposable {
  readonly pid: number;
  /** All that it has said so far on the standard error. */
  readonly said: string;
  /** All that it, and what it runs, have written to the standard output. */
  readonly written: string;
  /** Waits for a line, from what was last waited for on. @returns what it said up to the end of that line */
  line(pattern: RegExp): Promise<string>;
  /** Waits until it has built what is there and waits for changes. @returns what it said since it was last waited for */
  rest(): Promise<string>;
  /** Waits for a line of the standard output. */
  output(pattern: RegExp): Promise<void>;
  /** What it has in memory that it may still use, in bytes; of one that was started to be inspected. */
  heap(): Promise<number>;
  /** Closes the pipes that it writes to. */
  stopReading(): void;
  kill(signal: NodeJS.Signals): void;
  /** How it ended. */
  readonly exitCode: Promise<number>;
}

/** How to watch. */
export interface WatchingOptions {
  /** The context, seen from that of the world. */
  readonly context?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What it is started through: the words that its command comes after. */
  readonly through?: readonly string[];
  /** Whether its memory is to be looked at. */
  readonly isInspected?: boolean;
}

/** Where the kernel watches no more than this: the limit of a user namespace, which is nobody else's. */
export function withLimit(limit: 'max_inotify_watches' | 'max_inotify_instances', value: number): string[] {
  const script = `echo ${value} > /proc/sys/user/${limit} && exec "$@"`;
  return ['unshare', '--user', '--map-root-user', 'sh', '-c', script, 'sh'];
}

/** For a root that files are closed to as to anybody else. */
export const LIKE_A_USER = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'];

/** How long something may take on a machine that has other things to do, in milliseconds. */
const PATIENCE = 60_000;

/** Starts `caisson watch` in the context of a world. */
export function startWatch(
  world: World,
  args: readonly string[] = [],
  { context = '.', env = {}, through = [], isInspected = false }: WatchingOptions = {},
): Watching {
  const inspected = isInspected ? ['--inspect=127.0.0.1:0'] : [];
  const command = [process.execPath, ...inspected, CAISSON, 'watch', ...args, context];
  const [program = '', ...rest] = [...through, ...command];
  const subprocess = execa(program, rest, {
    env: { ...bareEnvironment(world.store), ...env },
    extendEnv: false,
    cwd: world.context,
    reject: false,
    stdin: 'ignore',
    buffer: false,
  });
  const text = { said: '', written: '' };
  const listeners = new Set<() => void>();
  const listen = (stream: NodeJS.ReadableStream, to: keyof typeof text): void => {
    stream.on('data', (chunk: Buffer) => {
      text[to] += chunk.toString();
      for (const listener of listeners) listener();
    });
  };
  listen(subprocess.stderr, 'said');
  listen(subprocess.stdout, 'written');
  let isOver = false;
  const toEnd = async (): Promise<number> => {
    const ended = await subprocess;
    isOver = true;
    for (const listener of listeners) listener();
    return ended.exitCode ?? -1;
  };
  const exitCode = toEnd();

  const until = (find: () => number | undefined, what: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined && !isOver) return;
        clearTimeout(timer);
        listeners.delete(look);
        if (found === undefined) reject(new Error(`it ended, and never said ${what}:\n${text.said}`));
        else resolve(found);
      };
      const timer = setTimeout(() => {
        listeners.delete(look);
        reject(new Error(`it never said ${what}:\n${text.said}\n--- written:\n${text.written}`));
      }, PATIENCE);
      listeners.add(look);
      look();
    });
  let told = 0;
  const line = async (pattern: RegExp): Promise<string> => {
    const from = told;
    const multiline = new RegExp(
      pattern.source,
      pattern.flags.includes('m') ? pattern.flags : `${pattern.flags}m`,
    );
    const end = await until(() => {
      const match = multiline.exec(text.said.slice(from));
      const stop = match === null ? -1 : text.said.indexOf('\n', from + match.index);
      return stop === -1 ? undefined : stop + 1;
    }, String(pattern));
    told = end;
    return text.said.slice(from, end);
  };

  return {
    pid: subprocess.pid ?? 0,
    get said() {
      return text.said;
    },
    get written() {
      return text.written;
    },
    line,
    rest: () => line(/^waiting for changes$/),
    output: async (pattern) => {
      await until(() => (pattern.test(text.written) ? 0 : undefined), String(pattern));
    },
    heap: () => heapOf(/^Debugger listening on (\S+)$/m.exec(text.said)?.[1] ?? 'nowhere'),
    stopReading: () => {
      subprocess.stdout.destroy();
      subprocess.stderr.destroy();
    },
    kill: (signal) => void subprocess.kill(signal),
    exitCode,
    [Symbol.asyncDispose]: async () => {
      subprocess.kill('SIGKILL');
      await subprocess;
    },
  };
}
