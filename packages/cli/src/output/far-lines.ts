import type { BuildEvent } from '@caisson/builder';
import { amountText, filesText, gitText, seconds, shortId, size, walkText } from './format.ts';

/** What says how far something is. */
export type FarEvent = Extract<
  BuildEvent,
  { kind: 'compress' | 'download' | 'fetch' | 'git' | 'read' | 'send' | 'step-copying' | 'walk' }
>;

/** How often a line says how far something is, in milliseconds. */
const INTERVAL = 5000;

/** Lines of how far something is, for logs: few, since they stay. */
export class FarLines {
  readonly #pulled = new Set<string>();
  /** What a line said something of. */
  readonly #lined = new Set<string>();
  /** When a line said last how far something was, or it began. */
  readonly #toldAt = new Map<string, number>();
  readonly #now: () => number;

  /** @param now the time in milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** What is to be said at this moment; undefined where that is nothing. */
  line(event: FarEvent): string | undefined {
    switch (event.kind) {
      case 'fetch': {
        const { digest, image, received, size: total, wasThere = false } = event;
        if (wasThere) return `has ${shortId(digest)} (${size(total)})`;
        const what = `${shortId(digest)} of ${image}`;
        if (received < total)
          return this.#far(digest, `pulling ${what}: ${size(received)} of ${size(total)}`);
        if (this.#pulled.has(digest)) return undefined;
        this.#pulled.add(digest);
        return `pulled ${what} (${size(total)})`;
      }
      case 'send': {
        const { name, digest, sent, size: total } = event;
        // That it is there is an event of its own.
        if (sent === total) return undefined;
        return this.#far(digest, `sending ${shortId(digest)} of ${name}: ${size(sent)} of ${size(total)}`);
      }
      case 'walk':
        return this.#far(`walk ${event.context}`, `looking through ${event.context}: ${walkText(event)}`);
      case 'download': {
        const { url, received, size: total } = event;
        if (received === total) return this.#end(url, `fetched ${url} (${size(total)})`);
        return this.#far(url, `fetching ${url}: ${amountText(received, total)}`);
      }
      case 'git':
        return this.#far(event.repository, `fetching ${event.repository}: ${gitText(event)}`);
      case 'compress': {
        const { name, digest, done, size: total } = event;
        return this.#far(
          `compress ${digest}`,
          `compressing ${shortId(digest)} for ${name}: ${amountText(done, total)}`,
        );
      }
      case 'read': {
        const { context, duration } = event;
        const what = `${context}: ${filesText(event)}`;
        if (event.files === event.allFiles) return `read ${what} in ${seconds(duration)}`;
        return this.#far(context, `reading ${what}`);
      }
      case 'step-copying': {
        const { step, duration } = event;
        const what = `#${step.id} copied ${filesText(event)}`;
        return event.files === event.allFiles
          ? `${what} in ${seconds(duration)}`
          : this.#far(`#${step.id}`, what);
      }
    }
  }

  /** The end of what a line said something of. */
  #end(what: string, line: string): string | undefined {
    return this.#lined.has(what) ? line : undefined;
  }

  #far(what: string, line: string): string | undefined {
    const now = this.#now();
    const last = this.#toldAt.get(what);
    if (last !== undefined && now - last < INTERVAL) return undefined;
    this.#toldAt.set(what, now);
    if (last === undefined) return undefined;
    this.#lined.add(what);
    return line;
  }
}
