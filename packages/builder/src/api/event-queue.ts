type Next<Event> = IteratorResult<Event, undefined>;

/** Who waits for the next event. */
interface Waiting<Event> {
  readonly resolve: (next: Next<Event>) => void;
  readonly reject: (error: unknown) => void;
}

/** How it ended, as far as that is not yet told. */
interface End {
  readonly error?: { readonly value: unknown };
}

/** The events that one iterator has not yet taken, in order; then the end, or an error once. */
export class EventQueue<Event> implements AsyncIterator<Event, undefined> {
  readonly #events: Event[] = [];
  readonly #waiting: Waiting<Event>[] = [];
  readonly #onReturn: () => void;
  #end: End | undefined;

  /** @param onReturn called when nobody takes events any more */
  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  /** Adds an event. */
  put(event: Event): void {
    if (this.#end !== undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#events.push(event);
    else waiting.resolve({ done: false, value: event });
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

  next(): Promise<Next<Event>> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#end === undefined) {
      return new Promise((resolve, reject) => {
        this.#waiting.push({ resolve, reject });
      });
    }
    const { error } = this.#end;
    this.#end = {};
    return error === undefined
      ? Promise.resolve({ done: true, value: undefined })
      : Promise.reject(error.value);
  }

  /** The iterator stops early. */
  return(): Promise<Next<Event>> {
    this.#onReturn();
    this.#events.length = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }
}
