import type { StepKey } from '../solve/key.ts';

/**
 * What the builds of a process are working on. Two that need the same step do it once: the second waits, and finds the
 * record of the first; where that failed or was cancelled, it does the step itself.
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
  readonly #own = new Map<string, () => void>();
  readonly #end = new AbortController();

  constructor(working: Map<string, Promise<void>>, root: string, signal: AbortSignal) {
    this.#working = working;
    this.#root = root;
    this.#signal = AbortSignal.any([signal, this.#end.signal]);
  }

  /** Waits until no other build works on a step. From then on this one does, until it says otherwise. */
  async take(key: StepKey): Promise<void> {
    const name = this.#name(key);
    for (;;) {
      const working = this.#own.has(name) ? undefined : this.#working.get(name);
      if (working === undefined) break;
      await unlessAborted(working, this.#signal);
    }
    if (this.#own.has(name)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#working.set(name, promise);
    this.#own.set(name, resolve);
  }

  /** The step has its record; or this build does not work on it. */
  release(key: StepKey): void {
    this.#release(this.#name(key));
  }

  #release(name: string): void {
    const resolve = this.#own.get(name);
    if (resolve === undefined) return;
    this.#own.delete(name);
    this.#working.delete(name);
    resolve();
  }

  #name(key: StepKey): string {
    return `${key} ${this.#root}`;
  }

  [Symbol.dispose](): void {
    this.#end.abort();
    for (const name of this.#own.keys()) this.#release(name);
  }
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
