import type { EventBounds } from './event-bounds.ts';
import { EventQueue } from './event-queue.ts';

/**
 * Work that goes on: a promise of its result, and an async iterable of what happens meanwhile; either, both, or several
 * iterators. Events are kept for iterators that there are, and for no one else: one that is made in the same tick as the
 * work sees all of them, as long as it takes them: what would need too much memory is lost, and that is told. An
 * iterator that stops early ends nothing. When the work fails, iterators throw its error behind the last event; whoever
 * iterates need not await it besides. `await using` ends it with its block.
 */
export class Running<Event, Value>
  implements Promise<Value>, AsyncIterable<Event, undefined>, AsyncDisposable
{
  readonly [Symbol.toStringTag] = 'Promise';
  readonly #queues = new Set<EventQueue<Event>>();
  readonly #result: Promise<Value>;
  readonly #bounds: EventBounds<Event>;
  readonly #end = new AbortController();

  /** @param work does it, and tells what happens, but not before the next tick; the signal ends it */
  constructor(
    bounds: EventBounds<Event>,
    work: (emit: (event: Event) => void, end: AbortSignal) => Promise<Value>,
  ) {
    this.#bounds = bounds;
    this.#result = this.#finish(
      work((event) => {
        for (const queue of this.#queues) queue.put(event);
      }, this.#end.signal),
    );
  }

  async #finish(work: Promise<Value>): Promise<Value> {
    try {
      const value = await work;
      for (const queue of this.#queues) queue.end();
      return value;
    } catch (error) {
      for (const queue of this.#queues) queue.fail(error);
      throw error;
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    this.#result.catch(() => {}); // the iterator tells
    const queue = new EventQueue<Event>(this.#bounds, () => this.#queues.delete(queue));
    this.#queues.add(queue);
    // Of work that has ended there is nothing to come but how it ended.
    this.#result.then(
      () => queue.end(),
      (error: unknown) => queue.fail(error),
    );
    return queue;
  }

  /** Ends the work, where it still goes on: then it is rejected as one that was cancelled. Resolved when nothing of it is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#result.catch(() => {});
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise
  then<A = Value, B = never>(
    onFulfilled?: ((value: Value) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: Error) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(onFulfilled, onRejected);
  }

  catch<A = never>(onRejected?: ((reason: Error) => A | PromiseLike<A>) | null): Promise<Value | A> {
    return this.#result.catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<Value> {
    return this.#result.finally(onFinally);
  }
}
