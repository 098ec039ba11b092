/** How far a walk through a context is. */
export interface WalkSoFar {
  /** How many files and folders were looked at. */
  readonly files: number;
  /** For how long, in milliseconds. */
  readonly duration: number;
}

/** Walks that take less are not told of, in milliseconds. */
const LONG = 1000;
/** How often it is told of then. */
const INTERVAL = 100;
/** Looks that are farther apart are not of one walk: a step ran in between. */
const PAUSE = 250;

/** Tells how far a walk is, once it takes long: now and then. Of several in a build, they are one. */
export class WalkProgress {
  readonly #tell: (soFar: WalkSoFar) => void;
  readonly #now: () => number;
  #files = 0;
  #duration = 0;
  #last: number | undefined;
  #next = 0;

  /** @param now the time in milliseconds */
  constructor(tell: (soFar: WalkSoFar) => void, now = () => performance.now()) {
    this.#tell = tell;
    this.#now = now;
  }

  /** Something is looked at. @param count how many */
  note(count: number): void {
    this.#files += count;
    const now = this.#now();
    this.#duration += Math.min(now - (this.#last ?? now), PAUSE);
    this.#last = now;
    if (this.#duration < LONG || now < this.#next) return;
    this.#next = now + INTERVAL;
    this.#tell({ files: this.#files, duration: this.#duration });
  }
}
