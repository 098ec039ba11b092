import { STATUS_CODES } from 'node:http';
import { RegistryError } from '../errors.ts';
import type { HttpResponse } from './http.ts';
import { readRegistryErrors, type RegistryErrors } from './registry-errors.ts';
import { retryAfter } from './retry-after.ts';

/**
 * The error for an answer that is a failure. Reads its body.
 * @param who answered: `the registry docker.io`
 * @param doing what it was asked to do, of the sentence `it refused to ...`
 * @param missing the sentence for a 404, where there is a better one
 */
export async function responseError(
  response: HttpResponse,
  who: string,
  doing: string,
  missing?: (errors: RegistryErrors) => string,
): Promise<RegistryError> {
  const errors = await readRegistryErrors(response);
  const { status } = response;
  const said = errors.text === '' ? '' : `: ${errors.text}`;
  if (status === 404 && missing !== undefined) return new RegistryError('not-found', missing(errors));
  if (status === 404)
    return new RegistryError('not-found', `${who} does not know what it was asked to ${doing}${said}`);
  if (status === 401) return new RegistryError('unauthorized', `${who} refused to ${doing}${said}`);
  if (status === 403) return new RegistryError('denied', `${who} does not allow to ${doing}${said}`);
  if (status === 413)
    return new RegistryError('too-large', `${who} refused to ${doing}: it is too large for it${said}`);
  if (status === 429) return rateLimited(response, who);
  const status5xx = status >= 500;
  const name = STATUS_CODES[status];
  const shown = name === undefined ? String(status) : `${status} ${name}`;
  return status5xx
    ? new RegistryError('unavailable', `${who} failed to ${doing} (${shown})${said}`)
    : new RegistryError('rejected', `${who} refused to ${doing} (${shown})${said}`);
}

function rateLimited(response: HttpResponse, who: string): RegistryError {
  const wait = retryAfter(response.headers);
  const when =
    wait === undefined ? 'it does not say for how long' : `the limit resets in ${formatWait(wait)}`;
  return new RegistryError('rate-limited', `${who} takes no more requests for now: ${when}`, {
    hint: 'limits are often higher for those who are logged in; a mirror helps too',
  });
}

/** A duration in milliseconds, in words. */
function formatWait(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
