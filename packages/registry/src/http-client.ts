import type { RegistryOptions } from './options.ts';
import { Connections } from './transport/connections.ts';
import { httpSender, type HttpResponse, type Send } from './transport/http.ts';
import { followRedirects } from './transport/redirect.ts';
import { retrying } from './transport/retry.ts';
import { MONOTONIC, Throttle } from './transport/throttle.ts';
import { DEFAULT_TIMING } from './transport/timing.ts';

/**
 * Reads what lies at a URL, with the proxies, certificates, other tries and limits of redirects that registries get. No
 * credentials are sent. Disposing of it closes its connections.
 */
export class HttpClient implements AsyncDisposable {
  readonly #connections: Connections;
  readonly #send: Send;

  constructor(options: RegistryOptions = {}) {
    const timing = { ...DEFAULT_TIMING, ...options.timing };
    this.#connections = new Connections(options.env ?? process.env, timing);
    const wire = httpSender(this.#connections, timing, options.userAgent ?? 'caisson');
    this.#send = retrying(followRedirects(wire), { timing, throttle: new Throttle(MONOTONIC) });
  }

  /**
   * @param headers by lower-case name
   * @throws RegistryError what the connection throws; an answer of any status is none
   */
  get(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse> {
    return this.#send({ method: 'GET', url, headers, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]();
  }
}
