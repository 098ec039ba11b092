import { STATUS_CODES } from 'node:http';
import { hostPath, type HostPath } from '@caisson/layer';
import type { Digest } from '@caisson/oci';
import type { HttpClient, RegistryOptions } from '@caisson/registry';
import type { Session, Store } from '@caisson/store';
import type { Time } from '@caisson/sys';
import { buildError } from '../failure.ts';

/** A file that ADD fetched. It lies in the store. */
export interface RemoteFile {
  readonly path: HostPath;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** When it was last changed, as its server says; 1970 where it does not. */
  readonly mtime: Time;
}

/**
 * The files that ADD takes from URLs, each fetched once a build. A server that knows entity tags is asked whether the
 * one in the store is still right.
 */
export class RemoteFiles implements AsyncDisposable {
  readonly #store: Store;
  readonly #session: Session;
  readonly #options: RegistryOptions;
  readonly #fetched = new Map<string, Promise<RemoteFile>>();
  #client: Promise<HttpClient> | undefined;

  constructor(store: Store, session: Session, options: RegistryOptions) {
    this.#store = store;
    this.#session = session;
    this.#options = options;
  }

  /** @throws BuildError `missing-source`, RegistryError, StoreError */
  get(url: string, signal: AbortSignal): Promise<RemoteFile> {
    const known = this.#fetched.get(url) ?? this.#fetch(url, signal);
    this.#fetched.set(url, known);
    return known;
  }

  async #fetch(url: string, signal: AbortSignal): Promise<RemoteFile> {
    const { blobs, lookUps } = this.#store;
    const known = lookUps.remoteFile(url);
    const isThere = known !== undefined && (await blobs.has(this.#session, known.digest));
    const headers = isThere ? { 'if-none-match': known.etag } : {};
    const response = await (await this.#open()).get(new URL(url), headers, signal);
    if (isThere && response.status === 304) {
      await response.discard();
      return this.#file(known.digest, known.modified);
    }
    if (response.status !== 200) {
      await response.discard();
      const name = STATUS_CODES[response.status] ?? '';
      throw buildError(
        'missing-source',
        `${url} cannot be fetched: its server answers ${response.status} ${name}`.trim(),
      );
    }
    const { digest } = await blobs.put(this.#session, response.body);
    const modified = response.headers.get('last-modified') ?? '';
    const etag = response.headers.get('etag');
    if (etag !== undefined) lookUps.rememberRemoteFile(url, { etag, modified, digest });
    return this.#file(digest, modified);
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
  }
}
