import { RegistryError } from '../errors.ts';
import { checkReach } from './addresses.ts';
import type { HttpRequest, HttpResponse, Send } from './http.ts';

const MOST_REDIRECTS = 5;

/**
 * Follows redirects by hand. Credentials stay with the origin (scheme, host and port) that they are for, and do not
 * come back once they were dropped. What has a body, or changes something, is repeated elsewhere only where the
 * answer says that method and body stay (307, 308).
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests (redirects)
 */
export function followRedirects(send: Send): Send {
  return async (original) => {
    let request = original;
    for (let hops = 0; ; hops++) {
      const response = await send(request);
      const target = redirectTarget(request, response);
      if (target === undefined) return response;
      await response.discard();
      if (hops === MOST_REDIRECTS) {
        throw new RegistryError(
          'invalid-response',
          `${original.url.host} redirects more than ${MOST_REDIRECTS} times`,
        );
      }
      checkReach(request.url, target, 'redirect');
      request = redirected(request, target);
    }
  };
}

function redirectTarget(request: HttpRequest, response: HttpResponse): URL | undefined {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const follows = isRead ? [301, 302, 303, 307, 308] : [307, 308];
  if (!follows.includes(response.status)) return undefined;
  const location = response.headers.get('location');
  const target = location === undefined ? null : URL.parse(location, request.url.href);
  if (target === null) {
    throw new RegistryError('invalid-response', `${request.url.host} redirects without saying where to`);
  }
  target.username = '';
  target.password = '';
  return target;
}

function redirected(request: HttpRequest, target: URL): HttpRequest {
  if (target.origin === request.url.origin) return { ...request, url: target };
  const { authorization: _dropped, ...headers } = request.headers;
  return { ...request, url: target, headers };
}
