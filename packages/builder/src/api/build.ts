import type { BuildEvent } from '../events.ts';
import { anySignal } from './any-signal.ts';
import { BUILD_BOUNDS, type LostEvents } from './event-bounds.ts';
import type { BuildOptions } from './build-options.ts';
import type { BuiltImage } from './built-image.ts';
import { checkOptions } from './check-options.ts';
import { buildRequest } from './given/wire-request.ts';
import { buildOptions } from './option-schemas.ts';
import { Running } from './running.ts';
import { inThread } from './thread/caller.ts';

/** A build that goes on: a promise of the image, and an async iterable of what happens. */
export type Build = Running<BuildEvent | LostEvents, BuiltImage>;

/**
 * Builds an image from a Dockerfile and its context. The work is done in a thread of its own, which all builds of a process
 * share: the caller's is not blocked, and builds that need the same steps run them once.
 *
 * @example
 * ```ts
 * const image = await build({ context: '.', tags: 'app' });
 * ```
 * @param options what to build, and where it goes
 * @returns a promise that is rejected with a {@link CaissonError} where the build fails, and an async iterable of events;
 *   the events are kept for iterators that are made in the same tick
 */
export function build(options: BuildOptions): Build {
  return new Running<BuildEvent | LostEvents, BuiltImage>(BUILD_BOUNDS, async (emit, end) => {
    const { request, answers } = buildRequest(checkOptions(buildOptions, options));
    const signal = anySignal(end, options.signal);
    const { value } = await inThread<'build'>({ kind: 'build', request }, { signal, answers, onEvent: emit });
    return value;
  });
}
