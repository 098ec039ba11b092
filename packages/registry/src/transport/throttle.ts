import { aborted } from '../errors.ts';

/** Time that only goes forward, and waiting. Tests bring their own. */
export interface Clock {
  /** Milliseconds since some point. */
  now(): number;
  /** @throws RegistryError `aborted` */
  sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
}

/** The clock of this process. It does not follow changes of the date. */
export const MONOTONIC: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        if (signal !== undefined) reject(aborted(signal));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, milliseconds);
      if (signal?.aborted === true) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    }),
};

/** Holds back all requests to a host that asked for a pause, whichever of them was told so. */
export class Throttle {
  readonly #clock: Clock;
  #until = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Lets nothing through for a time, in milliseconds. A shorter pause does not end a longer one. */
  pause(milliseconds: number): void {
    this.#until = Math.max(this.#until, this.#clock.now() + milliseconds);
  }

  /** Waits until requests may be sent. */
  async ready(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const wait = this.#until - this.#clock.now();
      if (wait <= 0) return;
      await this.#clock.sleep(wait, signal);
    }
  }
}
