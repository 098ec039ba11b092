import { unlessAborted } from '@caisson/runtime';
import type { StepKey } from '../solve/key.ts';

/**
 * What the builds of a process are working on. Where two of them need the same step, or two stages of one, it is done
 * once: the second waits, and finds the record of the first; where that failed or was cancelled, it does the step itself.
 */
export class InFlight {
  /** By store and key: resolves when nobody works on it any more. */
  readonly #working = new Map<string, Promise<void>>();

  /**
   * The part of one build.
   * @param root the folder of its store
   * @param signal ends its waiting
   */
  turns(root: string, signal: AbortSignal): Turns {
    return new Turns(this.#working, root, signal);
  }
}

/** What one build works on. Disposing of it lets others do that. */
export class Turns implements Disposable {
  readonly #working: Map<string, Promise<void>>;
  readonly #root: string;
  readonly #signal: AbortSignal;
  readonly #own = new Map<string, Turn>();
  readonly #end = new AbortController();

  constructor(working: Map<string, Promise<void>>, root: string, signal: AbortSignal) {
    this.#working = working;
    this.#root = root;
    this.#signal = AbortSignal.any([signal, this.#end.signal]);
  }

  /**
   * Waits until nobody else works on a step. From then on this does, until it says otherwise.
   * @param worker the step's number in this build: one that is solved again does not wait for what it began before
   * @param signal ends the waiting, too: whose turn it is may never begin then
   */
  async take(key: StepKey, worker: number, signal: AbortSignal): Promise<void> {
    const name = this.#name(key);
    while (this.#own.get(name)?.worker !== worker) {
      const working = this.#working.get(name);
      if (working === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#working.set(name, promise);
        this.#own.set(name, { worker, end: resolve });
        return;
      }
      await unlessAborted(working, AbortSignal.any([this.#signal, signal]));
    }
  }

  /** The step has its record; or is not worked on. */
  release(key: StepKey, worker: number): void {
    const name = this.#name(key);
    if (this.#own.get(name)?.worker === worker) this.#release(name);
  }

  #release(name: string): void {
    const turn = this.#own.get(name);
    this.#own.delete(name);
    this.#working.delete(name);
    turn?.end();
  }

  #name(key: StepKey): string {
    return `${key} ${this.#root}`;
  }

  [Symbol.dispose](): void {
    this.#end.abort();
    for (const name of this.#own.keys()) this.#release(name);
  }
}

interface Turn {
  readonly worker: number;
  readonly end: () => void;
}
