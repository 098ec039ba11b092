import { counted } from '../format.ts';

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
  #head: string | undefined;
  #rest: string[] = [];
  /** How many of the rest are left out, from its beginning on. */
  #dropped = 0;
  #length = 0;
  isOpen = true;

  constructor(onNews: () => void) {
    this.#onNews = onNews;
  }

  add(text: string): void {
    this.#length += text.length;
    // The beginning says what it is, the end what became of it.
    if (this.#head === undefined) this.#head = text;
    else this.#rest.push(text);
    while (this.#length > MOST_KEPT && this.#rest.length - this.#dropped > 2) {
      this.#length -= this.#rest[this.#dropped]?.length ?? 0;
      this.#rest[this.#dropped] = '';
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
    const gap =
      this.#dropped === 0 ? '' : `... ${counted(this.#dropped, 'line')} left out here: caisson logs\n`;
    const text = (this.#head ?? '') + gap + this.#rest.join('');
    this.#head = undefined;
    this.#rest = [];
    this.#dropped = 0;
    this.#length = 0;
    return text;
  }
}
