import { hostPath, type HostPath } from '@caisson/layer';
import type { Digest } from '@caisson/oci';
import type { HttpClient, RegistryOptions } from '@caisson/registry';
import type { Session, Store } from '@caisson/store';
import type { Time } from '@caisson/sys';
import { RegistryError, redactUrl } from '@caisson/registry/errors';
import { atIntervals } from '../at-intervals.ts';
import { buildError } from '../failure.ts';
import { bounded, type Bounds } from './bounded.ts';
import { withCredentials, type ReadSecret } from './http-credentials.ts';
import { Once } from '../once.ts';

/** A file that ADD fetched. It lies in the store. */
export interface RemoteFile {
  readonly path: HostPath;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** When it was last changed, as its server says; 1970 where it does not. */
  readonly mtime: Time;
}

/** How far a file is that is fetched. */
export interface Download {
  /** Without what is secret in it. */
  readonly url: string;
  /** In bytes. */
  readonly received: number;
  /** In bytes, where its server says it; what was received, when all of it is there. */
  readonly size?: number;
}

/** How large a file may be, in bytes, and what is thrown where it is larger. */
export type FileBounds = Omit<Bounds, 'signal'>;

type Answer = Awaited<ReturnType<HttpClient['get']>>;

/** The disk is the limit. */
const ANY_SIZE: FileBounds = {
  limit: Infinity,
  tooMany: () => new Error('Internal error: there is no limit'),
};

/**
 * The files that ADD takes from URLs, each fetched once a build. A server that knows entity tags is asked whether the
 * one in the store is still right.
 */
export class RemoteFiles implements AsyncDisposable {
  readonly #store: Store;
  readonly #session: Session;
  readonly #options: RegistryOptions;
  readonly #secret: ReadSecret;
  readonly #onFar: (download: Download) => void;
  readonly #fetched = new Once<string, Promise<RemoteFile>>();
  #client: Promise<HttpClient> | undefined;

  /**
   * @param secret where credentials come from
   * @param onFar told how far each file is, now and then and when it is there
   */
  constructor(
    store: Store,
    session: Session,
    options: RegistryOptions,
    secret: ReadSecret,
    onFar: (download: Download) => void = () => {},
  ) {
    this.#onFar = onFar;
    this.#store = store;
    this.#session = session;
    this.#options = options;
    this.#secret = secret;
  }

  /**
   * @param bounds of a file that is expected to be small
   * @throws BuildError `missing-source`, `fetch-failed`, StoreError
   */
  get(url: string, signal: AbortSignal, bounds: FileBounds = ANY_SIZE): Promise<RemoteFile> {
    return this.#fetched.get(url, () => this.#fetch(url, signal, bounds));
  }

  async #fetch(text: string, signal: AbortSignal, bounds: FileBounds): Promise<RemoteFile> {
    const { blobs, lookUps } = this.#store;
    const { url, authorization } = await withCredentials(text, this.#secret);
    const known = lookUps.remoteFile(url.href);
    const isThere = known !== undefined && (await blobs.has(this.#session, known.digest));
    const response = await this.#ask(url, signal, {
      ...(isThere ? { 'if-none-match': known.etag } : {}),
      ...(authorization === undefined ? {} : { authorization }),
    });
    if (isThere && response.status === 304) {
      await response.discard();
      return this.#file(known.digest, known.modified);
    }
    if (response.status !== 200) {
      await response.discard();
      throw await refused(url, response.status);
    }
    const { digest } = await blobs
      .put(this.#session, this.#told(url, response, bounded(response.body, { ...bounds, signal })))
      .catch((error: unknown) => Promise.reject(fetchFailed(url, error)));
    const modified = response.headers.get('last-modified') ?? '';
    const etag = response.headers.get('etag');
    if (etag !== undefined) lookUps.rememberRemoteFile(url.href, { etag, modified, digest });
    return this.#file(digest, modified);
  }

  /** The bytes of an answer, of which is told how many have come. */
  async *#told(url: URL, { headers }: Answer, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const announced = Number(headers.get('content-length') ?? Number.NaN);
    const size = Number.isSafeInteger(announced) ? { size: announced } : {};
    const shown = redactUrl(url);
    const tell = atIntervals(Infinity, (received) => this.#onFar({ url: shown, received, ...size }));
    let received = 0;
    for await (const chunk of bytes) {
      yield chunk;
      received += chunk.length;
      tell(received);
    }
    this.#onFar({ url: shown, received, size: received });
  }

  async #ask(url: URL, signal: AbortSignal, headers: Readonly<Record<string, string>>): Promise<Answer> {
    try {
      return await (await this.#open()).get(url, headers, signal);
    } catch (error) {
      throw fetchFailed(url, error);
    }
  }

  #file(digest: Digest, modified: string): RemoteFile {
    const { blobs } = this.#store;
    const milliseconds = Date.parse(modified);
    const seconds = Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000);
    return {
      path: hostPath(blobs.path(digest)),
      digest,
      size: blobs.size(digest) ?? 0,
      mtime: { seconds, nanoseconds: 0 },
    };
  }

  #open(): Promise<HttpClient> {
    this.#client ??= import('@caisson/registry').then(({ HttpClient: Client }) => new Client(this.#options));
    return this.#client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#client)?.[Symbol.asyncDispose]();
    await Promise.allSettled(this.#fetched.values());
  }
}

async function refused(url: URL, status: number): Promise<Error> {
  // It brings all of HTTP along, which few builds need: 40 ms of each.
  const { STATUS_CODES } = await import('node:http');
  const answer = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  const message = `${redactUrl(url)} cannot be fetched: its server answers ${answer}`;
  if (status === 404 || status === 410) return buildError('missing-source', message);
  if (status !== 401 && status !== 403) return buildError('fetch-failed', message);
  return buildError('fetch-failed', message, {
    hint: `the secret HTTP_AUTH_TOKEN_${url.host}, or HTTP_AUTH_HEADER_${url.host}, is sent to its server`,
  });
}

/** What a failure on the way means; another error is passed on. */
function fetchFailed(url: URL, error: unknown): unknown {
  if (!(error instanceof RegistryError) || error.code === 'aborted') return error;
  const { message, hint } = error;
  return buildError(
    'fetch-failed',
    `${redactUrl(url)} cannot be fetched: ${message}`,
    hint === undefined ? {} : { hint },
    error,
  );
}
