import { once } from 'node:events';
import { Socket } from 'node:net';
import type { PassedStreams } from '@caisson/runtime';
import { closeDescriptor, makePipe } from '@caisson/sys';

/** Takes what a program writes; where it gives a promise, more is given when that is resolved. */
export type OutputTaker = (stream: 'stdout' | 'stderr', data: Uint8Array) => void | Promise<void>;

/**
 * Pipes to a program: real ones, which it may open by their names, and in which it waits for whoever reads. The other ends
 * are read and written as fast as that goes.
 */
export class RunStreams implements Disposable {
  /** The ends that the program has. */
  readonly passed: PassedStreams;
  /** The ends that are here. */
  readonly #sockets: readonly Socket[];
  readonly #failed = new AbortController();
  readonly #output: Promise<unknown>;
  #isStarted = false;
  #isOver = false;

  /** @param input what the program reads; nothing where it is not given */
  constructor(onOutput: OutputTaker, input: AsyncIterable<Uint8Array> | undefined) {
    const [stdin, stdout, stderr] = [makePipe(), makePipe(), makePipe()];
    this.passed = { input: stdin.read, output: stdout.write, error: stderr.write };
    const writer = new Socket({ fd: stdin.write, readable: false, writable: true });
    const output = new Socket({ fd: stdout.read, readable: true, writable: false });
    const error = new Socket({ fd: stderr.read, readable: true, writable: false });
    this.#sockets = [writer, output, error];
    // That nobody reads it any more is for the program to know.
    writer.on('error', () => {});
    this.#output = Promise.all([
      this.#unlessFailed(this.#read(output, (data) => onOutput('stdout', data))),
      this.#unlessFailed(this.#read(error, (data) => onOutput('stderr', data))),
    ]);
    if (input === undefined) writer.end();
    else void this.#unlessFailed(this.#write(writer, input));
  }

  /** Aborted when the program is to be ended, since its output cannot be taken, or its input cannot be read. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** The program has its ends: here they are closed. */
  started(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const { input, output, error } = this.passed;
    for (const descriptor of [input, output, error]) closeDescriptor(descriptor);
  }

  /**
   * Resolved when all that was written is taken; everything that could write has ended.
   * @throws why it could not be taken, or the input could not be read
   */
  async drained(): Promise<void> {
    this.#isOver = true; // what has not been read will not be
    await this.#output;
    this.#failed.signal.throwIfAborted();
  }

  async #unlessFailed(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#failed.abort(error);
    }
  }

  async #read(socket: Socket, take: (data: Uint8Array) => void | Promise<void>): Promise<void> {
    for await (const chunk of socket) if (chunk instanceof Uint8Array) await take(chunk);
  }

  async #write(socket: Socket, input: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of input) {
        if (this.#isOver || socket.destroyed) return;
        if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
      }
      socket.end();
    } catch (error) {
      if (!this.#isOver && !socket.destroyed) throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.started();
    for (const socket of this.#sockets) socket.destroy();
  }
}
