import type { Credentials } from '../auth/credentials.ts';
import { RegistryError } from '../errors.ts';
import { checkReach } from './addresses.ts';
import { Authorizer } from './authorizer.ts';
import type { HttpRequest, HttpResponse, RequestBody, ResponseHeaders, Send } from './http.ts';
import { followRedirects } from './redirect.ts';
import type { RegistryErrors } from './registry-errors.ts';
import { responseError } from './response-error.ts';
import { retrying } from './retry.ts';
import { findBase, type Security } from './scheme.ts';
import type { Scope } from './scope.ts';
import { waitFor } from './shared-work.ts';
import { MONOTONIC, Throttle } from './throttle.ts';
import type { Timing } from './timing.ts';
import { Tokens } from './tokens.ts';

/** One request to a registry. */
export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  /** Below `/v2/`; or a URL that the registry itself gave, as the place of an upload. */
  readonly to: string | URL;
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  readonly scopes: readonly Scope[];
  /** What it is for, as an infinitive: `read debian:12`. */
  readonly doing: string;
  /** The statuses that the caller deals with. Any other becomes an error. */
  readonly expect: readonly number[];
  /** The sentence for a 404 that is not expected. */
  readonly missing?: (errors: RegistryErrors) => string;
  /** False where a failure must be dealt with before it is sent again. */
  readonly isRepeatable?: boolean;
  readonly headersTimeout?: number;
  readonly signal: AbortSignal | undefined;
}

/** What a registry's host is made from. */
export interface RegistryHostOptions {
  /** As images name it, with its port if it has one. */
  readonly name: string;
  readonly security: Security;
  /** The wire: one request, redirects not followed. */
  readonly send: Send;
  readonly timing: Timing;
  readonly findCredentials: () => Promise<Credentials | undefined>;
  /** Where credentials are looked for, for messages. */
  readonly lookedIn: readonly string[];
  /** Sees the headers of each answer of the registry itself. */
  readonly onHeaders: (headers: ResponseHeaders) => void;
}

/** Docker Hub's API does not lie where its images' names say. */
const API_HOSTS: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' };

/**
 * One registry as this client talks to it: its scheme, its credentials, its pace. From the inside out: the wire,
 * redirects, other tries, credentials.
 */
export class RegistryHost {
  /** As images name it. */
  readonly name: string;
  readonly #options: RegistryHostOptions;
  readonly #apiHost: string;
  readonly #wire: Send;
  readonly #anonymous: Send;
  readonly #authorizer: Authorizer;
  #base: Promise<URL> | undefined;

  constructor(options: RegistryHostOptions) {
    this.name = options.name;
    this.#options = options;
    this.#apiHost = API_HOSTS[options.name] ?? options.name;
    const unverifiedHost = options.security === 'insecure' ? this.#apiHost : undefined;
    this.#wire = (request) => options.send({ ...request, unverifiedHost });
    const retry = { timing: options.timing, throttle: new Throttle(MONOTONIC) };
    this.#anonymous = retrying(followRedirects(this.#wire), retry);
    this.#authorizer = new Authorizer(this.#anonymous, {
      registry: options.name,
      tokens: new Tokens(options.name, retrying(this.#wire, retry)),
      findCredentials: options.findCredentials,
      lookedIn: options.lookedIn,
    });
  }

  /**
   * Sends a request, with credentials if it goes to the registry's own origin.
   * @throws RegistryError
   */
  async send(request: RegistryRequest): Promise<HttpResponse> {
    const base = await this.#findBase(request.signal);
    const { method, to, query, headers = {}, scopes, doing, expect, missing, ...plain } = request;
    const url = typeof to === 'string' ? new URL(`/v2/${to}`, base) : to;
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.append(name, value);
    const isOwn = url.origin === base.origin;
    if (!isOwn) checkReach(base, url, 'place for uploads');
    const response = isOwn
      ? await this.#authorizer.send({ ...plain, method, url, headers, scopes, doing })
      : await this.#anonymous({ ...plain, method, url, headers });
    if (response.url.origin === base.origin) this.#options.onHeaders(response.headers);
    if (expect.includes(response.status)) return response;
    const error = await responseError(response, this.#who(response), doing, missing);
    throw error.code === 'denied' ? await this.#withCredentials(error) : error;
  }

  /**
   * Reads something that the registry does not hold itself, at an address that one of its manifests names. No
   * credentials are sent, whatever is answered.
   * @throws RegistryError
   */
  async sendElsewhere(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse> {
    checkReach(await this.#findBase(signal), url, 'layer');
    return this.#anonymous({ method: 'GET', url, headers, signal });
  }

  #findBase(signal: AbortSignal | undefined): Promise<URL> {
    if (this.#base === undefined) {
      const found = findBase(this.#apiHost, this.#options.security, this.#wire, undefined);
      this.#base = found;
      found.catch(() => {
        this.#base = undefined; // the next request asks again
      });
    }
    return waitFor(this.#base, signal);
  }

  /** Who answered, for messages: after a redirect it is not the registry. */
  #who(response: HttpResponse): string {
    const isOwn = response.url.host === this.#apiHost;
    return isOwn
      ? `the registry ${this.name}`
      : `${response.url.host}, to which the registry ${this.name} redirects,`;
  }

  async #withCredentials(error: RegistryError): Promise<RegistryError> {
    const whose = await this.#authorizer.describe();
    const hint = whose === undefined ? 'no credentials were sent' : `${whose} were sent`;
    return new RegistryError(error.code, error.message, { hint, cause: error.cause });
  }
}
