import type { LogWriter } from '@caisson/store';
import type { Emit } from '../events.ts';

/** Writes what steps say to the logs of a build. Where that does not work it says so once, and the build goes on. */
export class StepLogs implements Disposable {
  readonly #writer: LogWriter;
  readonly #emit: Emit;
  #isBroken = false;

  constructor(writer: LogWriter, emit: Emit) {
    this.#writer = writer;
    this.#emit = emit;
  }

  write(step: number, data: Uint8Array): void {
    if (this.#isBroken) return;
    try {
      this.#writer.write(step, data);
    } catch (error) {
      this.#isBroken = true;
      const why = error instanceof Error ? error.message : String(error);
      this.#emit({ kind: 'warning', message: `what the steps write is kept in no log from here on: ${why}` });
    }
  }

  end(step: number): void {
    this.#writer.end(step);
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
  }
}
