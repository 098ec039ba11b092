import { closeSync, openSync, readSync } from 'node:fs';
import type { Digest } from '@caisson/oci';

const CHUNK = 1 << 20;

/**
 * A blob that somebody brings, whose bytes can be read as they come. They are not checked then: whoever gets to the end has
 * the right ones, and before that nothing may be made of them that stays.
 */
export class ArrivingBlob {
  readonly #digest: Digest;
  readonly #stored: (digest: Digest) => AsyncIterable<Uint8Array>;
  readonly #provided = Promise.withResolvers<void>();
  #fd: number | undefined;
  /** How much has come. */
  #size = 0;
  #state: 'coming' | 'broken' | 'over' = 'coming';
  #isRead = false;
  #refusal: Error | undefined;
  #more = Promise.withResolvers<void>();

  /** @param stored reads it where it is there */
  constructor(digest: Digest, stored: (digest: Digest) => AsyncIterable<Uint8Array>) {
    this.#digest = digest;
    this.#stored = stored;
    this.provided.catch(() => {}); // who reads it is told
  }

  /** Settles when the blob is there and checked, or cannot be had. */
  get provided(): Promise<void> {
    return this.#provided.promise;
  }

  /** Says who brings it. @param provided settles when it is there, or cannot be had */
  async follow(provided: Promise<void>): Promise<void> {
    try {
      await provided;
      this.#provided.resolve();
    } catch (error) {
      this.#provided.reject(error);
    }
    if (this.#state === 'coming') this.#state = 'over';
    if (!this.#isRead) this.#close();
    this.#wake();
  }

  /** It is being written to a file. A second time says that what came before is not to be used. */
  begin(path: string): void {
    if (this.#fd === undefined && this.#state === 'coming') this.#fd = openSync(path, 'r');
    else this.break();
  }

  /** So much of it is in the file. */
  grow(size: number): void {
    if (this.#state !== 'coming') return;
    this.#size = size;
    this.#wake();
  }

  /** What came is not to be used. */
  break(): void {
    this.#refusal = undefined;
    if (this.#state === 'coming') this.#state = 'broken';
    this.#wake();
  }

  /** Says that nothing can be made of what came so far: the rest of it need not come. */
  refuse(why: Error): void {
    if (this.#state === 'coming') this.#refusal = why;
  }

  /** Why nothing can be made of what is coming; undefined where nobody said so. */
  get refusal(): Error | undefined {
    return this.#refusal;
  }

  /**
   * Whether what came first was wrong or broke off. Where it is {@link provided} all the same, it can be read from its
   * beginning.
   */
  get isBroken(): boolean {
    return this.#state === 'broken';
  }

  /** The bytes, for one reader. They end with an error where {@link isBroken}. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    this.#isRead = true;
    try {
      yield* this.#arriving();
    } finally {
      this.#close();
    }
  }

  async *#arriving(): AsyncGenerator<Uint8Array> {
    for (let at = 0; this.#state !== 'broken';) {
      if (this.#fd !== undefined && at < this.#size) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK, this.#size - at));
        const read = readSync(this.#fd, chunk, 0, chunk.length, at);
        at += read;
        yield chunk.subarray(0, read);
      } else if (this.#state === 'over') {
        await this.provided;
        if (this.#fd === undefined) yield* this.#stored(this.#digest);
        return;
      } else {
        await this.#more.promise;
      }
    }
    await this.provided;
    throw new Error(`Internal error: the first bytes of ${this.#digest} were not to be used`);
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}
