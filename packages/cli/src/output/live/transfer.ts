import { seconds, size as sizeText } from '../format.ts';

/** Over which time a rate is taken, and how often is looked, in milliseconds. */
const WINDOW = 3000;
const INTERVAL = 100;

/** Blobs that travel together: the layers of an image. */
export class Transfer {
  readonly begunAt: number;
  readonly #blobs = new Map<string, { done: number; size: number }>();
  readonly #samples: { at: number; done: number }[] = [];
  #changedAt: number;

  constructor(now: number) {
    this.begunAt = now;
    this.#changedAt = now;
    this.#samples.push({ at: now, done: 0 });
  }

  /** Notes how far a blob is, in bytes. */
  note(digest: string, done: number, size: number, now: number): void {
    this.#blobs.set(digest, { done, size });
    this.#changedAt = now;
    if (now - (this.#samples.at(-1)?.at ?? 0) < INTERVAL) return;
    this.#samples.push({ at: now, done: this.done });
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? now) < now - WINDOW) this.#samples.shift();
  }

  /** Leaves a blob out that does not travel after all. */
  forget(digest: string): void {
    this.#blobs.delete(digest);
  }

  /** In bytes. */
  get done(): number {
    return [...this.#blobs.values()].reduce((sum, { done }) => sum + done, 0);
  }

  /** Of the blobs that are known, in bytes. */
  get size(): number {
    return [...this.#blobs.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** In bytes a second, over the last seconds. */
  rate(now: number): number {
    const [first] = this.#samples;
    if (first === undefined || now - first.at < 200) return 0;
    return (1000 * (this.done - first.done)) / (now - first.at);
  }

  /** Whether all is there, and nothing has been added to it for some milliseconds. */
  isOver(now: number, milliseconds: number): boolean {
    const { done, size } = this;
    // Of what nobody knows the size of, nobody knows the end.
    return (size > 0 || done === 0) && done >= size && now - this.#changedAt >= milliseconds;
  }

  /** What came, and how long that took: `3.64 MB, 0.4 s`; nothing where nothing came. */
  get summary(): string {
    return this.size === 0 ? '' : `${sizeText(this.size)}, ${seconds(this.#changedAt - this.begunAt)}`;
  }
}
