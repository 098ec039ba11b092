import { ReadStream } from 'node:tty';
import { copyWindowSize, errorCode, makeRaw } from '@caisson/sys';
import { writeAll } from './output.ts';

/** The descriptor of the caller's terminal, which whoever asks for one of the program's own has as its input. */
const CALLERS = 0;
/** Where what the program writes goes to: a terminal or a file. */
const OUTPUT = 1;

/**
 * Shows a program's terminal in that of the caller: what is typed there is typed in it, and what it shows is shown there.
 * The keys that make signals are the business of the program's terminal then. When the caller's is gone, or nobody takes
 * what is shown, so is the program's.
 */
export class TerminalRelay implements Disposable {
  /** Resolves when no program has the terminal any more, and all that it showed has been passed on. */
  readonly drained: Promise<void>;
  readonly #master: ReadStream;
  readonly #descriptor: number;
  readonly #open = new DisposableStack();

  /**
   * @param master the end of a pseudoterminal that is not the program's; closed with this
   * @param isInteractive whether it is typed in
   */
  constructor(master: number, isInteractive: boolean) {
    this.#descriptor = master;
    this.#master = new ReadStream(master);
    this.#open.defer(() => this.#master.destroy());
    this.resize();
    this.drained = this.#relay(isInteractive);
  }

  /** Gives it the size that the caller's has by now, as long as both are there. */
  resize(): void {
    if (this.#open.disposed) return;
    try {
      copyWindowSize(CALLERS, this.#descriptor);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
    }
  }

  async #relay(isInteractive: boolean): Promise<void> {
    try {
      if (isInteractive) this.#takeKeys();
    } catch (error) {
      this[Symbol.dispose]();
      if (errorCode(error) === undefined) throw error;
      return; // the caller's terminal is gone, and so is the program's
    }
    await this.#show();
  }

  #takeKeys(): void {
    this.#open.defer(makeRaw(CALLERS));
    const keys = new ReadStream(CALLERS);
    this.#open.defer(() => keys.destroy());
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
