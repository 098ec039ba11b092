import { RegistryError } from '../errors.ts';
import { bareHost, isLoopback } from './addresses.ts';
import type { HttpRequest, Send } from './http.ts';
import { isRefused, speaksNoTls } from './network-failure.ts';

/** Which schemes a registry may be spoken to in. */
export type Security =
  /** https, with a certificate that is checked. On this machine also plain http, where the registry speaks no TLS. */
  | 'https'
  /** https if it speaks that, whatever its certificate; plain http if it does not. */
  | 'insecure'
  /** Plain http: its URL was given as such. */
  | 'http';

/**
 * The root of a registry's API: `https://HOST/`. Where plain http is allowed too, the registry is asked which one it
 * speaks, https first; nothing but the question goes out until that is known. A certificate that cannot be trusted
 * never leads to plain http.
 * @param host with its port if it has one
 * @param send the wire: one request, redirects not followed
 * @throws RegistryError
 */
export async function findBase(
  host: string,
  security: Security,
  send: Send,
  signal: AbortSignal | undefined,
): Promise<URL> {
  const https = new URL(`https://${host}/`);
  const http = new URL(`http://${host}/`);
  if (security === 'http') return http;
  if (security === 'https' && !isLoopback(bareHost(https.hostname))) return https;
  try {
    await ask(https, send, signal);
    return https;
  } catch (error) {
    if (!(error instanceof RegistryError) || !mayBePlain(error, https)) throw error;
    const status = await ask(http, send, signal);
    // A server of https says so in plain http, with this status: then the first failure was a passing one.
    if (status === 400) throw error;
    return http;
  }
}

/** @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints (end-1) */
async function ask(base: URL, send: Send, signal: AbortSignal | undefined): Promise<number> {
  const question: HttpRequest = { method: 'GET', url: new URL('/v2/', base), headers: {}, signal };
  const response = await send(question);
  await response.discard();
  return response.status;
}

function mayBePlain(error: RegistryError, https: URL): boolean {
  return speaksNoTls(error) || (https.port === '' && isRefused(error));
}
