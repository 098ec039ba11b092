import { readlinkSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { closeDescriptor, copyWindowSize, errorCode, makeRaw, openPseudoterminal } from '@caisson/sys';
import { writeAll, type MadeTerminal, type StandardStreams } from './output.ts';

/** The descriptor of the caller's terminal, which whoever asks for one of the program's own has as its input. */
const CALLERS = 0;
/** Where what the program writes goes to: a terminal or a file. */
const OUTPUT = 1;

/**
 * A terminal of a program's own, for the runtimes that make none: what is typed in the caller's terminal is typed in it,
 * and what it shows is shown there. The keys that make signals are the business of the program's terminal then. When the
 * caller's is gone, or nobody takes what is shown, so is the program's.
 */
export class OwnTerminal implements MadeTerminal {
  readonly path: string;
  readonly streams: StandardStreams;
  readonly #master: ReadStream;
  readonly #masterDescriptor: number;
  readonly #open: DisposableStack;
  #slave: number | undefined;

  /** @param isInteractive whether it is typed in */
  constructor(isInteractive: boolean) {
    const { master, slave } = openPseudoterminal();
    this.#slave = slave;
    this.#masterDescriptor = master;
    using stack = new DisposableStack();
    stack.defer(() => this.#closeSlave());
    this.#master = new ReadStream(master);
    stack.defer(() => this.#master.destroy());
    this.path = readlinkSync(`/proc/self/fd/${slave}`);
    this.resize();
    if (isInteractive) this.#takeKeys(stack);
    this.streams = {
      stdio: [slave, slave, slave],
      started: () => this.#closeSlave(),
      drained: this.#show(),
      terminal: this,
    };
    this.#open = stack.move();
  }

  resize(): void {
    copyWindowSize(CALLERS, this.#masterDescriptor);
  }

  /** The program has it: here it is closed, so that its end is seen. */
  #closeSlave(): void {
    if (this.#slave !== undefined) closeDescriptor(this.#slave);
    this.#slave = undefined;
  }

  #takeKeys(stack: DisposableStack): void {
    stack.defer(makeRaw(CALLERS));
    const keys = new ReadStream(CALLERS);
    stack.defer(() => keys.destroy());
    keys.on('data', (chunk) => {
      if (this.#master.write(chunk)) return;
      keys.pause();
      this.#master.once('drain', () => keys.resume());
    });
    keys.on('error', () => this.#master.destroy());
    keys.on('end', () => this.#master.destroy());
  }

  /** Ends when no program has the terminal any more. */
  async #show(): Promise<void> {
    try {
      for await (const chunk of this.#master) {
        if (chunk instanceof Uint8Array && !(await writeAll(OUTPUT, chunk))) break;
      }
    } catch (error) {
      // So the kernel tells that no program has it, and Node that it was closed here.
      if (errorCode(error) !== 'EIO' && errorCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    } finally {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#open.dispose();
  }
}
