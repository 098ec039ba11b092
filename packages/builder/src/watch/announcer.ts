import type { Digest } from '@caisson/oci';
import type { BuildEvent } from '../events.ts';
import type { WatchEvent } from './watch-events.ts';

/**
 * Passes on the events of one build of a watch, from the first on that somebody wants to hear of: a build that finds
 * everything in the cache and gives the image that is there already is not told of.
 */
export class Announcer {
  readonly #tell: (event: WatchEvent) => void;
  readonly #lastImage: Digest | undefined;
  #held: WatchEvent[] | undefined;

  /**
   * @param beginning what is told first
   * @param lastImage of the build before; undefined where that gave none, which makes any build news
   */
  constructor(
    tell: (event: WatchEvent) => void,
    {
      beginning,
      lastImage,
    }: { readonly beginning: readonly WatchEvent[]; readonly lastImage: Digest | undefined },
  ) {
    this.#tell = tell;
    this.#lastImage = lastImage;
    this.#held = [...beginning];
    if (lastImage === undefined) this.announce();
  }

  get isAnnounced(): boolean {
    return this.#held === undefined;
  }

  /** Tells what was held back, and everything from now on. */
  announce(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) this.#tell(event);
  }

  take(event: BuildEvent): void {
    // How a build ended is told in its place.
    if (event.kind === 'failed') return;
    if (this.#isNews(event)) this.announce();
    if (this.#held === undefined) this.#tell(event);
    else this.#held.push(event);
  }

  #isNews(event: BuildEvent): boolean {
    return event.kind === 'step-started' || (event.kind === 'image' && event.id !== this.#lastImage);
  }
}
