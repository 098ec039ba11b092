import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { closeDescriptor, enlargePipe, errorCode, findProgram, makePipe, setNonBlocking } from '@caisson/sys';
import { LayerError } from './errors.ts';

/** Of Intel's ISA-L; Debian's package is isal. It takes half the time of zlib. */
const PROGRAM = 'igzip';

/** What it ends with where it cannot make anything of what it is given. */
const DAMAGED = 1;

/** How much lies between the program and who reads what it writes, in bytes. */
const PIPE_SIZE = 1 << 20;

/** Where the program lies; undefined where it is not installed. */
export function gzipProgram(): string | undefined {
  return findProgram(PROGRAM);
}

/** How a process ended: its exit code, or the signal that ended it. */
type End = number | NodeJS.Signals;

/**
 * A process that decompresses gzip, where the program for it is installed: containerd uses the same one. What it gives is
 * no more trusted than what zlib gives.
 */
export class GzipProgram implements AsyncDisposable {
  /** Where what comes out can be read, to its end, by any thread; EAGAIN says that there is nothing yet. */
  readonly output: number;
  readonly #process: ChildProcess;
  readonly #input: Socket;
  readonly #ended: Promise<End>;

  private constructor(started: ChildProcess, input: Socket, output: number) {
    this.#process = started;
    this.#input = input;
    this.output = output;
    this.#ended = new Promise((resolve) => {
      started.once('exit', (code, signal) => resolve(code ?? signal ?? 0));
    });
    input.on('error', () => {}); // it has seen enough: its end says why
  }

  /** @returns undefined where the program is not installed, or cannot be started. */
  static async start(): Promise<GzipProgram | undefined> {
    const path = gzipProgram();
    if (path === undefined) return undefined;
    const open = new Set<number>();
    try {
      const [given, made] = [largePipe(open), largePipe(open)];
      setNonBlocking(made.read);
      const started = spawn(path, ['-dc'], {
        stdio: [given.read, made.write, 'ignore'],
        env: { LC_ALL: 'C' },
        detached: true, // Ctrl-C is for us
      });
      await once(started, 'spawn');
      for (const ours of [given.write, made.read]) open.delete(ours);
      return new GzipProgram(started, new Socket({ fd: given.write, readable: false }), made.read);
    } catch {
      return undefined;
    } finally {
      for (const descriptor of open) closeDescriptor(descriptor);
    }
  }

  /** Gives it all bytes. Where they end early for it, the rest is read all the same: others check them to their end. */
  async feed(source: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of source) {
      if (!(await this.#isTaken(bytes)) && (await this.#ended) !== 0) return;
    }
    this.#input.end();
  }

  #isTaken(bytes: Uint8Array): Promise<boolean> {
    if (!this.#input.writable) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#input.write(bytes, (error) => resolve(error === null || error === undefined));
    });
  }

  /** Waits for its end. @throws LayerError `invalid-compression`, `not-decompressed` */
  async check(): Promise<void> {
    const end = await this.#ended;
    if (end === 0) return;
    if (end === DAMAGED) {
      throw new LayerError(
        'invalid-compression',
        `the compressed bytes are damaged: ${PROGRAM} cannot decompress them`,
      );
    }
    const how = typeof end === 'string' ? `was ended by ${end}` : `ended with exit code ${end}`;
    throw new LayerError('not-decompressed', `${PROGRAM}, which decompresses it, ${how}`);
  }

  /** Ends it: who reads its output comes to the end of it, and who feeds it is through. */
  kill(): void {
    this.#input.destroy();
    const { pid, exitCode, signalCode } = this.#process;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, 'SIGKILL'); // it may be a script, which started others
    } catch (error) {
      if (errorCode(error) !== 'ESRCH') throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#ended;
    closeDescriptor(this.output);
  }
}

/** Makes a pipe, and notes what is open of it. */
function largePipe(open: Set<number>): ReturnType<typeof makePipe> {
  const pipe = makePipe();
  for (const descriptor of [pipe.read, pipe.write]) open.add(descriptor);
  enlargePipe(pipe.write, PIPE_SIZE);
  return pipe;
}
