import type { EventBounds } from './event-bounds.ts';

type Next<Event> = IteratorResult<Event, undefined>;

/** Who waits for the next event. */
interface Waiting<Event> {
  readonly resolve: (next: Next<Event>) => void;
  readonly reject: (error: unknown) => void;
}

/** An event, or what stands in the place of some that were lost. */
type Untaken<Event> = { readonly event: Event; readonly size: number } | { lost: number };

/** How it ended, as far as that is not yet told. */
interface End {
  readonly error?: { readonly value: unknown };
}

/** After so many the room of events that were taken is given back. */
const MANY = 1024;

/** The events that one iterator has not yet taken, in order; then the end, or an error once. */
export class EventQueue<Event> implements AsyncIterator<Event, undefined> {
  #events: Untaken<Event>[] = [];
  /** How many of these are taken. */
  #taken = 0;
  /** What those of the others take that may be lost, in bytes. */
  #size = 0;
  readonly #waiting: Waiting<Event>[] = [];
  readonly #bounds: EventBounds<Event>;
  readonly #onReturn: () => void;
  #end: End | undefined;

  /** @param onReturn called when nobody takes events any more */
  constructor(bounds: EventBounds<Event>, onReturn: () => void) {
    this.#bounds = bounds;
    this.#onReturn = onReturn;
  }

  /** Adds an event. One for which there is no room is lost, and the iterator is told. */
  put(event: Event): void {
    if (this.#end !== undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#keep(event);
    else waiting.resolve({ done: false, value: event });
  }

  #keep(event: Event): void {
    const size = this.#bounds.sizeOf(event);
    if (size === 0 || this.#size + size <= this.#bounds.most) {
      this.#events.push({ event, size });
      this.#size += size;
      return;
    }
    const last = this.#events.at(-1);
    if (last !== undefined && 'lost' in last) last.lost++;
    else this.#events.push({ lost: 1 });
  }

  /** There are no more events. */
  end(): void {
    this.#finish({});
  }

  /** There are no more events, and this is why. */
  fail(error: unknown): void {
    this.#finish({ error: { value: error } });
  }

  #finish(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    for (const [index, { resolve, reject }] of this.#waiting.splice(0).entries()) {
      if (index === 0 && end.error !== undefined) {
        this.#end = {};
        reject(end.error.value);
      } else resolve({ done: true, value: undefined });
    }
  }

  async next(): Promise<Next<Event>> {
    const untaken = this.#take();
    if (untaken !== undefined)
      return { done: false, value: 'lost' in untaken ? this.#bounds.instead(untaken.lost) : untaken.event };
    if (this.#end === undefined) {
      return new Promise((resolve, reject) => {
        this.#waiting.push({ resolve, reject });
      });
    }
    const { error } = this.#end;
    this.#end = {};
    if (error !== undefined) throw error.value;
    return { done: true, value: undefined };
  }

  #take(): Untaken<Event> | undefined {
    const untaken = this.#events[this.#taken];
    if (untaken === undefined) return undefined;
    this.#taken++;
    if ('size' in untaken) this.#size -= untaken.size;
    if (this.#taken === this.#events.length || this.#taken === MANY) {
      this.#events = this.#events.slice(this.#taken);
      this.#taken = 0;
    }
    return untaken;
  }

  /** The iterator stops early. */
  return(): Promise<Next<Event>> {
    this.#onReturn();
    this.#events = [];
    this.#taken = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }
}
