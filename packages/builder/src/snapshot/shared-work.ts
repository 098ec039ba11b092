import { unlessAborted } from '@caisson/runtime';

/** Work that several wait for, each as long as its own signal lets it. */
export class SharedWork {
  readonly #ongoing = new Set<Promise<unknown>>();
  readonly #over = new WeakSet<Promise<unknown>>();

  /** Waits for work that was begun, perhaps by others. The signal ends the waiting alone. */
  wait<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (this.#over.has(work)) return work;
    if (!this.#ongoing.has(work)) {
      this.#ongoing.add(work);
      const isOver = (): void => {
        this.#ongoing.delete(work);
        this.#over.add(work);
      };
      work.then(isOver, isOver);
    }
    return unlessAborted(work, signal);
  }

  /** Whether any goes on that somebody waited for. */
  get isOngoing(): boolean {
    return this.#ongoing.size > 0;
  }

  /** Settles when all that goes on now is over, also where nobody waits for it any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#ongoing);
  }
}
