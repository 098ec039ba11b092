import { failuresOf } from '../failure-of.ts';
import type { Site } from '../site.ts';
import { CLOCK } from './clock.ts';

/** What a {@link StoreTidier} works for. */
interface TidierParts {
  /** Aborted when the watch is closed. */
  readonly signal: AbortSignal;
  readonly onWarning: (message: string) => void;
}

/** What is done to the store between builds: what edits have superseded goes, and what the next one needs is made ready. */
export class StoreTidier implements AsyncDisposable {
  readonly #signal: AbortSignal;
  readonly #onWarning: (message: string) => void;
  #timer: Disposable | undefined;
  #tidying: Promise<void> | undefined;
  #preparing: Promise<void> | undefined;
  /** Not before. */
  #from = 0;

  constructor({ signal, onWarning }: TidierParts) {
    this.#signal = signal;
    this.#onWarning = onWarning;
  }

  /** Readies it at once, and tidies for a fifth of the time at most: in a large store that takes a while. */
  rest(site: Site): void {
    this.#preparing = this.#prepare(site, this.#preparing);
    this.#preparing.catch(() => {}); // told at the end
    this.#timer?.[Symbol.dispose]();
    this.#timer = CLOCK.setTimer(
      () => {
        this.#tidying = this.#tidy(site, this.#tidying);
        this.#tidying.catch(() => {}); // told at the end
      },
      Math.max(0, this.#from - CLOCK.now()),
    );
  }

  async #prepare({ store, spares }: Site, before: Promise<void> | undefined): Promise<void> {
    await before;
    if (!this.#signal.aborted) await spares.prepare(store, this.#signal);
  }

  async #tidy({ store, superseded }: Site, before: Promise<void> | undefined): Promise<void> {
    await before;
    if (this.#signal.aborted) return;
    const startedAt = CLOCK.now();
    try {
      await superseded.remove(store, this.#signal);
      const now = CLOCK.now();
      this.#from = now + 4 * (now - startedAt);
    } catch (error) {
      if (this.#signal.aborted) return;
      // It is cache, and prune takes it some day.
      const [failure] = failuresOf(error) ?? [];
      if (failure === undefined) throw error;
      this.#onWarning(`cannot remove old layers: ${failure.message}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#tidying;
    await this.#preparing;
  }
}
