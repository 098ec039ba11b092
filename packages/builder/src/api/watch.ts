import { anySignal } from './any-signal.ts';
import type { BuildOptions } from './build-options.ts';
import { checkOptions } from './check-options.ts';
import { BUILD_BOUNDS } from './event-bounds.ts';
import { watchRequest } from './given/wire-request.ts';
import { watchOptions } from './option-schemas.ts';
import { Running } from './running.ts';
import { inThread } from './thread/caller.ts';
import type { WatchEvent } from './watch-event.ts';

/** What to watch: what is to be built, from a folder, and this. */
export interface WatchOptions extends BuildOptions {
  /**
   * In seconds: how often files are looked at, where the kernel does not tell of their changes (network file systems).
   * It is asked to tell where this is not given.
   */
  readonly poll?: number | undefined;
}

/** Builds of what changes. An iterator that stops early ends it. */
export interface Watch extends AsyncIterable<WatchEvent, undefined>, AsyncDisposable {
  /** Ends it; resolved when nothing of it is left. */
  close(): Promise<void>;
}

/**
 * Builds, and builds again whenever something changes that the target's steps depend on, until it is closed or its signal
 * is aborted: then iterators end. A failed build waits for the next change. Outputs and registries get an image only when
 * it is another one.
 *
 * @example
 * ```ts
 * for await (const event of watch({ context: '.', tags: 'app' })) {
 *   if (event.kind === 'built') break;
 * }
 * ```
 * @param options what to build; the context is a folder
 * @returns an async iterable of what happens, which throws a {@link CaissonError} where nothing can be watched; events are
 *   kept for iterators that there are: one that is made in the same tick sees all of them
 */
export function watch(options: WatchOptions): Watch {
  return new Watching(options);
}

class Watching implements Watch {
  readonly #work: Running<WatchEvent, void>;

  constructor(options: WatchOptions) {
    this.#work = new Running<WatchEvent, void>(BUILD_BOUNDS, (emit, end) => this.#run(options, emit, end));
    this.#work.catch(() => {}); // iterators tell
  }

  async #run(options: WatchOptions, emit: (event: WatchEvent) => void, end: AbortSignal): Promise<void> {
    const { request, answers } = watchRequest(checkOptions(watchOptions, options));
    const signal = anySignal(end, options.signal);
    if (signal.aborted) return;
    await inThread<'watch'>({ kind: 'watch', request }, { signal, answers, onWatchEvent: emit });
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchEvent, undefined> {
    const events = this.#work[Symbol.asyncIterator]();
    return {
      next: () => events.next(),
      return: async () => {
        await events.return?.();
        await this.close();
        return { done: true, value: undefined };
      },
    };
  }

  close(): Promise<void> {
    return this.#work[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
