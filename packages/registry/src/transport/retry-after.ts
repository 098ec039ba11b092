import type { ResponseHeaders } from './http.ts';

// Longer than any limit in use: a number of nonsense, taken as if nothing had been said.
const LONGEST_BELIEVED = 24 * 60 * 60 * 1000;

/**
 * How long an answer asks to wait, in milliseconds; undefined where it does not say so in a way that makes sense. A
 * date is compared with the answer's own `Date`, so that a wrong clock here does not matter.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfter(headers: ResponseHeaders, now: () => number = Date.now): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (value === undefined) return undefined;
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : untilDate(value, headers, now);
  if (wait === undefined || wait > LONGEST_BELIEVED) return undefined;
  return Math.max(0, wait);
}

function untilDate(value: string, headers: ResponseHeaders, now: () => number): number | undefined {
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(value)) return undefined;
  const then = Date.parse(value);
  const sent = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(then) ? undefined : then - (Number.isNaN(sent) ? now() : sent);
}
