import { RegistryError } from '../errors.ts';
import type { HttpRequest, HttpResponse, Send } from './http.ts';
import { isLasting } from './network-failure.ts';
import { retryAfter } from './retry-after.ts';
import { MONOTONIC, type Clock, type Throttle } from './throttle.ts';
import type { Timing } from './timing.ts';

/** What another try may help with. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

const TRIES_WHERE_NOBODY_LISTENS = 2;

/** What {@link retrying} needs besides a sender. */
export interface RetryOptions {
  readonly timing: Pick<Timing, 'backoff' | 'longestWait' | 'tries'>;
  /** That of the host: all its requests share it. */
  readonly throttle: Throttle;
  readonly clock?: Clock;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/**
 * Sends again what failed in passing, after a wait that doubles, with jitter. An answer that names a time is believed
 * up to `longestWait`, and holds back all requests to the host; one that names a longer time ends it at once, since
 * the user is better off knowing. A last failing answer is returned, a last network failure thrown.
 */
export function retrying(send: Send, options: RetryOptions): Send {
  const { timing, throttle, clock = MONOTONIC, random = Math.random } = options;
  return async (request: HttpRequest): Promise<HttpResponse> => {
    const tries = request.isRepeatable === false ? 1 : timing.tries;
    for (let attempt = 1; ; attempt++) {
      await throttle.ready(request.signal);
      const backoff = Math.min(timing.backoff * 2 ** (attempt - 1), timing.longestWait) * (0.5 + random());
      try {
        const response = await send(request);
        if (!PASSING_STATUSES.has(response.status)) return response;
        const asked = retryAfter(response.headers);
        if (asked !== undefined && asked > timing.longestWait) return response;
        // The jitter keeps those who wait from coming back all at one moment.
        if (asked !== undefined || response.status === 429) throttle.pause((asked ?? 0) + backoff);
        if (attempt >= tries) return response;
        await response.discard();
      } catch (error) {
        if (attempt >= triesFor(error, tries)) throw error;
      }
      await clock.sleep(backoff, request.signal);
    }
  };
}

function triesFor(error: unknown, tries: number): number {
  if (!(error instanceof RegistryError)) return 1;
  if (error.code === 'timeout') return tries;
  if (error.code !== 'unreachable') return 1;
  return isLasting(error) ? Math.min(tries, TRIES_WHERE_NOBODY_LISTENS) : tries;
}
