/** The time, and a timer. */
export interface Clock {
  /** In milliseconds. */
  readonly now: () => number;
  readonly setTimer: (callback: () => void, after: number) => Disposable;
}

/** The clock of the process. */
export const CLOCK: Clock = {
  now: () => performance.now(),
  setTimer: (callback, after) => {
    const timer = setTimeout(callback, after);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
