/** How much of a block that is not its turn is kept, in characters: all of it is in the step's log. */
const MOST_KEPT = 4 << 20;

/** Texts that grow side by side, written one after another in the order in which they were begun. */
export class OrderedBlocks {
  readonly #write: (text: string) => void;
  readonly #waiting: WaitingBlock[] = [];

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  open(): Block {
    const block = new WaitingBlock(() => this.#advance());
    this.#waiting.push(block);
    return block;
  }

  /** Writes what there is, of blocks that are still open too. */
  flush(): void {
    for (const block of this.#waiting.splice(0)) this.#write(block.take());
  }

  /** The first block is written as it grows. */
  #advance(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const text = first.take();
      if (text !== '') this.#write(text);
      if (first.isOpen) return;
      this.#waiting.shift();
    }
  }
}

/** A text that grows. */
export interface Block {
  add(text: string): void;
  /** Says that nothing more comes. */
  close(): void;
}

class WaitingBlock implements Block {
  readonly #onNews: () => void;
  #texts: string[] = [];
  #length = 0;
  #dropped = 0;
  isOpen = true;

  constructor(onNews: () => void) {
    this.#onNews = onNews;
  }

  add(text: string): void {
    this.#texts.push(text);
    this.#length += text.length;
    // The beginning says what it is, the end what became of it.
    while (this.#length > MOST_KEPT && this.#texts.length > 3) {
      const [gone] = this.#texts.splice(1, 1);
      this.#length -= gone?.length ?? 0;
      this.#dropped++;
    }
    this.#onNews();
  }

  close(): void {
    this.isOpen = false;
    this.#onNews();
  }

  /** What came since the last time. */
  take(): string {
    const [head = '', ...rest] = this.#texts;
    const gap = this.#dropped === 0 ? '' : `... ${this.#dropped} lines are left out here: caisson logs\n`;
    this.#texts = [];
    this.#length = 0;
    this.#dropped = 0;
    return head + gap + rest.join('');
  }
}
