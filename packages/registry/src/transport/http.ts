import { Readable } from 'node:stream';
import { request as undiciRequest } from 'undici';
import { aborted, RegistryError, throwIfAborted } from '../errors.ts';
import type { Connections } from './connections.ts';
import { networkFailure } from './network-failure.ts';
import type { Timing } from './timing.ts';

/** What a request sends. It may be sent more than once, so it is opened anew each time. */
export interface RequestBody {
  /** In bytes; undefined where that is not known beforehand. */
  readonly size: number | undefined;
  open(): AsyncIterable<Uint8Array>;
}

/** One request, complete. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  readonly signal: AbortSignal | undefined;
  /** The one `host:port` whose certificate is not checked: one that is configured insecure. */
  readonly unverifiedHost?: string | undefined;
  /** For the headers, in milliseconds, where it is not the usual time. */
  readonly headersTimeout?: number;
  /** False where a failure must be dealt with before it is sent again. */
  readonly isRepeatable?: boolean;
}

/** The headers of an answer. Names are in lower case. */
export interface ResponseHeaders {
  /** The value; of several ones the first. */
  get(name: string): string | undefined;
  /** Each value that was sent under this name. */
  all(name: string): readonly string[];
}

/** An answer. Its body must be read to the end, or {@link discard}ed. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** Who answered: differs from the request's after redirects. */
  readonly url: URL;
  readonly body: AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
}

/** Sends a request. What wraps it adds one thing each: redirects, other tries, credentials. */
export type Send = (request: HttpRequest) => Promise<HttpResponse>;

/**
 * The innermost sender: one request on the wire. It asks for bodies as they are (no content encoding): digests are of
 * these bytes. Failures are RegistryErrors that name the host.
 */
export function httpSender(connections: Connections, timing: Timing, userAgent: string): Send {
  return async (request) => {
    throwIfAborted(request.signal);
    const route = connections.route(request.url, request.unverifiedHost);
    const context = { url: request.url, proxy: route.proxy, signal: request.signal };
    const sent = request.body === undefined ? undefined : new SentBody(request.body);
    const body = sent === undefined ? null : Readable.from(sent.bytes(), { objectMode: false });
    try {
      const response = await undiciRequest(request.url, {
        method: request.method,
        headers: {
          'accept-encoding': 'identity',
          'user-agent': userAgent,
          ...request.headers,
          ...(request.body?.size === undefined ? {} : { 'content-length': String(request.body.size) }),
        },
        body,
        dispatcher: route.dispatcher,
        signal: request.signal ?? null,
        headersTimeout: request.headersTimeout ?? timing.headers,
        bodyTimeout: timing.idle,
      });
      return {
        status: response.statusCode,
        headers: responseHeaders(response.headers),
        url: request.url,
        body: bytesOf(response.body, context),
        discard: () => discard(response.body),
      };
    } catch (error) {
      body?.destroy();
      // That the body could not be read is none of the network's doing.
      throw sent?.failure ?? networkFailure(error, context);
    }
  };
}

/** A body on its way, and why it could not be read to its end, if it could not. */
class SentBody {
  readonly #body: RequestBody;
  failure: Error | undefined;

  constructor(body: RequestBody) {
    this.#body = body;
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#body.open();
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }
}

async function* bytesOf(
  body: AsyncIterable<unknown>,
  context: { url: URL; proxy: string | undefined; signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) {
      if (!(chunk instanceof Uint8Array)) throw new Error('Internal error: a body gave no bytes');
      yield chunk;
    }
  } catch (error) {
    throw networkFailure(error, context);
  }
  if (context.signal?.aborted === true) throw aborted(context.signal);
}

const MOST_TO_DISCARD = 64 * 1024;

async function discard(body: { dump(options: { limit: number }): Promise<void> }): Promise<void> {
  try {
    await body.dump({ limit: MOST_TO_DISCARD }); // reading a little on keeps the connection
  } catch {
    // The connection is gone: nothing is lost.
  }
}

function responseHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): ResponseHeaders {
  const all = (name: string): readonly string[] => {
    const value = headers[name];
    if (value === undefined) return [];
    return typeof value === 'string' ? [value] : value;
  };
  return { all, get: (name) => all(name)[0] };
}

/** Refuses a body that was encoded although it was asked for as it is: its bytes are not those of the digest. */
export function refuseEncoding(response: HttpResponse): void {
  const encoding = response.headers.get('content-encoding')?.trim().toLowerCase();
  if (encoding === undefined || encoding === '' || encoding === 'identity') return;
  throw new RegistryError(
    'invalid-response',
    `${response.url.host} sent content in the encoding ${JSON.stringify(encoding)} although it was asked for as it is`,
  );
}

/** A body that is at hand. */
export function bytesBody(bytes: Uint8Array): RequestBody {
  return {
    size: bytes.length,
    open: async function* () {
      yield await Promise.resolve(bytes);
    },
  };
}
