import { setTimeout as sleep } from 'node:timers/promises';

/** How something ended. */
export interface Ended {
  readonly exitCode: number;
  /** Whether it could not be run, which is told. */
  readonly isTold: boolean;
}

/** Something that was started for an image. */
export interface Running {
  /** How it ended, when it has. Never rejects. */
  readonly ended: Promise<Ended>;
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
  readonly what: Started;
  readonly start: (image: BuiltImage) => Running;
}

/** What a watch starts. */
export type Started = 'container' | 'command';

/** Shows what is going on. */
export interface Teller {
  /** Shows a line. */
  tell(line: string): void;
  /** Something ended by itself. */
  exited(what: Started, exitCode: number): void;
}

/** How long what runs for an older image may take to end. In milliseconds. */
const PATIENCE = 2000;
/** The same where the watch itself is to end. */
const HASTE = 400;
/** After how long it is told that something takes its time to end. In milliseconds. */
const SILENCE = 300;

/** Restarts something for each new image: one at a time, the last image wins. */
class Restarted implements AsyncDisposable {
  readonly #starter: Starter;
  readonly #teller: Teller;
  #running: Running | undefined;
  /** What runs and is not to end: its end is news. */
  #expected: Running | undefined;
  #next: BuiltImage | undefined;
  #turn: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(starter: Starter, teller: Teller) {
    this.#starter = starter;
    this.#teller = teller;
  }

  /** Ends what runs for the image before, and starts anew. */
  restart(image: BuiltImage): void {
    this.#next = image;
    this.#turn = this.#turn.then(() => this.#takeTurn());
  }

  /** The exit code of what was started last, when it has ended. */
  async ended(): Promise<number> {
    await this.#turn;
    return (await this.#running?.ended)?.exitCode ?? 0;
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
    if (this.#isOver) return;
    const running = this.#starter.start(image);
    this.#running = running;
    this.#expected = running;
    void running.ended.then((ended) => this.#onEnd(running, ended));
  }

  #onEnd(running: Running, { exitCode, isTold }: Ended): void {
    if (running === this.#expected && !isTold) this.#teller.exited(this.#starter.what, exitCode);
  }

  async #stop(): Promise<void> {
    this.#expected = undefined;
    if (this.#running === undefined) return;
    const { what } = this.#starter;
    const telling = setTimeout(() => this.#teller.tell(`waiting for the ${what} to end`), SILENCE);
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

  constructor(starters: readonly Starter[], teller: Teller) {
    this.#all = starters.map((starter) => new Restarted(starter, teller));
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
