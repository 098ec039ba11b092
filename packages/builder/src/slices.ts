import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { Parts } from '@caisson/layer';

const SLICE_MS = 20;

/** Long work is done in slices: between two of them others have their turn, and it may be told to end. */
export class Slices {
  readonly #signal: AbortSignal;
  #end = performance.now() + SLICE_MS;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Whether it is time for {@link Slices.next}. */
  get isOver(): boolean {
    return performance.now() >= this.#end;
  }

  /** Gives way. @throws what the signal was aborted with */
  async next(): Promise<void> {
    await yieldToOthers();
    this.#signal.throwIfAborted();
    this.#end = performance.now() + SLICE_MS;
  }

  /** Does work that has parts. @throws what the signal was aborted with: what was begun is given up */
  async run<T>(parts: Parts<T>): Promise<T> {
    using begun = parts;
    for (;;) {
      const step = begun.next();
      if (step.done === true) return step.value;
      if (this.isOver) await this.next();
    }
  }
}
