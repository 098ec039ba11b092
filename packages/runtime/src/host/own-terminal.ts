import { closeSync, readlinkSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { copyWindowSize, errorCode, makeRaw, openPseudoterminal } from '@caisson/sys';
import { writeAll, type MadeTerminal, type StandardStreams } from './output.ts';

/** The descriptor of the caller's terminal, which whoever asks for one of the program's own has as its input. */
const CALLERS = 0;
/** Where what the program writes goes to: a terminal or a file. */
const OUTPUT = 1;

/**
 * A terminal of a program's own, for the runtimes that make none: what is typed in the caller's terminal is typed in it,
 * and what it shows is shown there. The keys that make signals are the business of the program's terminal then.
 */
export class OwnTerminal implements MadeTerminal {
  readonly path: string;
  readonly streams: StandardStreams;
  readonly #master: ReadStream;
  readonly #masterDescriptor: number;
  readonly #end: DisposableStack;

  /** @param isInteractive whether it is typed in */
  constructor(isInteractive: boolean) {
    const { master, slave } = openPseudoterminal();
    using stack = new DisposableStack();
    this.path = readlinkSync(`/proc/self/fd/${slave}`);
    this.#masterDescriptor = master;
    this.#master = new ReadStream(master);
    stack.defer(() => this.#master.destroy());
    this.resize();
    if (isInteractive) this.#takeKeys(stack);
    this.#end = stack.move();
    this.streams = {
      stdio: [slave, slave, slave],
      started: () => closeSync(slave),
      drained: this.#show(),
      terminal: this,
    };
  }

  resize(): void {
    copyWindowSize(CALLERS, this.#masterDescriptor);
  }

  #takeKeys(stack: DisposableStack): void {
    stack.defer(makeRaw(CALLERS));
    const keys = new ReadStream(CALLERS);
    keys.on('data', (chunk) => this.#master.write(chunk));
    keys.on('error', () => {}); // the caller's terminal is gone: he is told so by a signal
    stack.defer(() => keys.destroy());
  }

  /** Ends when no program has the terminal any more. */
  async #show(): Promise<void> {
    using _end = this.#end;
    try {
      for await (const chunk of this.#master) if (chunk instanceof Uint8Array) await writeAll(OUTPUT, chunk);
    } catch (error) {
      if (errorCode(error) !== 'EIO') throw error; // so the kernel tells that they have it no more
    }
  }
}
