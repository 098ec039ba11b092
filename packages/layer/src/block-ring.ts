/** In bytes. */
export const BLOCK_SIZE = 1 << 18;
/** What may lie between the two threads: enough to fill while the other one starts. */
const BLOCKS = 8;

/** Where the numbers lie that the two share; the blocks come after them. */
const HEADER_SIZE = 4096;
/** How many blocks were filled since the beginning, and how many of them emptied. */
const FILLED = 0;
const EMPTIED = 1;
/** Whether one side is through with it. */
const IS_GIVEN_UP = 2;
const IS_OVER = 3;
/** How many bytes are in each block, from here on. */
const LENGTHS = 4;

/**
 * Memory that two threads share: one fills blocks, the other empties them in the same order, and each waits for the other
 * where it is ahead: a thread that has nothing else to do without its event loop, another one by a promise.
 */
export class BlockRing {
  /** For the ring of the other thread. */
  readonly memory: SharedArrayBuffer;
  readonly #shared: Int32Array;
  /** How many blocks this side is through with. */
  #count = 0;
  #isInterrupted = false;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(HEADER_SIZE + BLOCKS * BLOCK_SIZE)) {
    this.memory = memory;
    this.#shared = new Int32Array(memory, 0, LENGTHS + BLOCKS);
  }

  /** How many blocks were emptied. */
  get emptied(): number {
    return Atomics.load(this.#shared, EMPTIED);
  }

  /** The block that is to be filled next; undefined while all are full. */
  get toFill(): Buffer | undefined {
    return this.#count - this.emptied < BLOCKS ? this.#block() : undefined;
  }

  /** Waits for the block that is to be filled next; undefined where the other side is through. */
  async willFill(): Promise<Buffer | undefined> {
    for (;;) {
      const { emptied } = this;
      if (this.isOver) return undefined;
      const next = this.toFill;
      if (next !== undefined) return next;
      await Atomics.waitAsync(this.#shared, EMPTIED, emptied).value;
    }
  }

  /**
   * Gives away the block that was {@link toFill}.
   * @param length how many bytes are in it; none say that it was the last
   */
  filled(length: number): void {
    this.#shared[LENGTHS + (this.#count % BLOCKS)] = length;
    this.#count++;
    this.#say(FILLED);
  }

  /** Says that nothing more will come, and that nothing is to be made of what came. */
  giveUp(): void {
    Atomics.store(this.#shared, IS_GIVEN_UP, 1);
    this.#say(FILLED);
  }

  /** Waits for the next block that was filled. It stays as it is until {@link hasEmptied}; without bytes it is the last. */
  toEmpty(): Buffer | 'given-up' {
    while (this.#isEmpty) Atomics.wait(this.#shared, FILLED, this.#count);
    return this.#filledBlock();
  }

  /** The same as {@link toEmpty}, for a thread that does something else meanwhile. */
  async willEmpty(): Promise<Buffer | 'given-up'> {
    while (this.#isEmpty && !this.#isInterrupted)
      await Atomics.waitAsync(this.#shared, FILLED, this.#count).value;
    return this.#isInterrupted ? 'given-up' : this.#filledBlock();
  }

  /** Ends the waiting of this side for what is filled: nothing of it is wanted any more. */
  interrupt(): void {
    this.#isInterrupted = true;
    Atomics.notify(this.#shared, FILLED);
  }

  /** Asked again after each wait: the notice of a block may come when that block was seen and emptied already. */
  get #isEmpty(): boolean {
    return Atomics.load(this.#shared, FILLED) === this.#count;
  }

  #filledBlock(): Buffer | 'given-up' {
    if (Atomics.load(this.#shared, IS_GIVEN_UP) !== 0) return 'given-up';
    return this.#block().subarray(0, this.#shared[LENGTHS + (this.#count % BLOCKS)]);
  }

  hasEmptied(): void {
    this.#count++;
    this.#say(EMPTIED);
  }

  /** Says that nothing more is emptied. */
  end(): void {
    Atomics.store(this.#shared, IS_OVER, 1);
    this.#say(EMPTIED);
  }

  get isOver(): boolean {
    return Atomics.load(this.#shared, IS_OVER) !== 0;
  }

  /**
   * Waits until the other thread has emptied more than so many, or is through.
   * @param patience in milliseconds
   */
  waitForMore(emptied: number, patience: number): 'more' | 'timed-out' {
    return Atomics.wait(this.#shared, EMPTIED, emptied, patience) === 'timed-out' ? 'timed-out' : 'more';
  }

  #block(): Buffer {
    return Buffer.from(this.memory, HEADER_SIZE + (this.#count % BLOCKS) * BLOCK_SIZE, BLOCK_SIZE);
  }

  #say(what: typeof FILLED | typeof EMPTIED): void {
    Atomics.add(this.#shared, what, 1);
    Atomics.notify(this.#shared, what);
  }
}
