import { setTimeout as sleep } from 'node:timers/promises';

/** Something that was started for an image. */
export interface Running {
  /** Its exit code, when it has ended. Never rejects. */
  readonly ended: Promise<number>;
  /** Asks it to end, and ends it if it has not after a moment. In milliseconds. */
  stop(patience: number): Promise<void>;
}

/** An image that was just built. */
export interface BuiltImage {
  /** Its id. */
  readonly id: string;
  /** What people call it: its first name, or its id. */
  readonly name: string;
  /** The digest of its manifest. */
  readonly digest: string;
}

/** Starts something for an image. */
export interface Starter {
  /** What it starts, as people call it. */
  readonly what: string;
  readonly start: (image: BuiltImage) => Running;
}

/** Shows a line about what is going on. */
export type Tell = (line: string) => void;

/** How long what runs for an older image may take to end. In milliseconds. */
const PATIENCE = 2000;
/** The same where the watch itself is to end. */
const HASTE = 400;
/** After how long it is told that something takes its time to end. In milliseconds. */
const SILENCE = 300;

/** Restarts something for each new image: one at a time, the last image wins. */
class Restarted implements AsyncDisposable {
  readonly #starter: Starter;
  readonly #tell: Tell;
  #running: Running | undefined;
  #next: BuiltImage | undefined;
  #turn: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(starter: Starter, tell: Tell) {
    this.#starter = starter;
    this.#tell = tell;
  }

  /** Ends what runs for the image before, and starts anew. */
  restart(image: BuiltImage): void {
    this.#next = image;
    this.#turn = this.#turn.then(() => this.#takeTurn());
  }

  /** The exit code of what was started last, when it has ended. */
  async ended(): Promise<number> {
    await this.#turn;
    return (await this.#running?.ended) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all([this.#turn, this.#stop()]);
    await this.#stop();
  }

  async #takeTurn(): Promise<void> {
    const image = this.#next;
    if (image === undefined) return;
    this.#next = undefined;
    await this.#stop();
    if (!this.#isOver) this.#running = this.#starter.start(image);
  }

  async #stop(): Promise<void> {
    if (this.#running === undefined) return;
    const telling = setTimeout(() => this.#tell(`waiting for ${this.#starter.what} to end`), SILENCE);
    try {
      await this.#running.stop(this.#isOver ? HASTE : PATIENCE);
    } finally {
      clearTimeout(telling);
    }
  }
}

/** Several of them, which end at the same time. */
export class AllRestarted implements AsyncDisposable {
  readonly #all: readonly Restarted[];
  #end: Promise<unknown> | undefined;

  constructor(starters: readonly Starter[], tell: Tell) {
    this.#all = starters.map((starter) => new Restarted(starter, tell));
  }

  restart(image: BuiltImage): void {
    for (const each of this.#all) each.restart(image);
  }

  /** The exit codes of what was started last, when all have ended. */
  ended(): Promise<number[]> {
    return Promise.all(this.#all.map((each) => each.ended()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end ??= Promise.all(this.#all.map((each) => each[Symbol.asyncDispose]()));
    await this.#end;
  }
}

/** Waits until something has ended, but not for ever. @param patience in milliseconds */
export async function endsWithin(ended: Promise<unknown>, patience: number): Promise<void> {
  const over = new AbortController();
  await Promise.race([ended, sleep(patience, undefined, { signal: over.signal }).catch(() => {})]);
  over.abort();
}
