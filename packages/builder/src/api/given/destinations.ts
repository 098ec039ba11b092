import type { Destination } from '../build-options.ts';
import { DestinationFeed } from './destination-feed.ts';

/** What takes the bytes of a job, by the path of the option that it was given with. */
export class Destinations {
  readonly #given: ReadonlyMap<string, Destination>;
  readonly #feeds = new Map<string, DestinationFeed>();

  constructor(given: ReadonlyMap<string, Destination> = new Map()) {
    this.#given = given;
  }

  /** Gives some bytes. Resolved when there may be more. @throws what the destination failed with */
  async put(path: string, bytes: Uint8Array): Promise<void> {
    await this.#feed(path).put(bytes);
  }

  /** There are no more. Resolved when it has all of them; the next time is another stream of a function. */
  async end(path: string): Promise<void> {
    await this.#feed(path).end();
    this.#feeds.delete(path);
  }

  /** The job has ended: what was not written to its end never will be. @param error why, where there is a reason */
  close(error: Error | undefined): void {
    for (const path of this.#given.keys()) {
      const isWritten = error === undefined && !this.#feeds.has(path);
      if (!isWritten) this.#feed(path).fail(error);
    }
  }

  #feed(path: string): DestinationFeed {
    const given = this.#given.get(path);
    if (given === undefined) throw new Error(`Internal error: ${path} takes nothing`);
    const feed = this.#feeds.get(path) ?? new DestinationFeed(path, given);
    this.#feeds.set(path, feed);
    return feed;
  }
}
