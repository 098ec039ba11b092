import type { Digest } from '@caisson/oci';
import type { RegistryClient, Repository } from './client.ts';
import { counted } from './counted.ts';
import { RegistryError, throwIfAborted } from './errors.ts';
import { beginUpload, endUpload, giveUp, locationOf } from './upload.ts';
import { repositoryScope } from './transport/scope.ts';

/** How long a registry has to say where an upload can be taken back, in milliseconds. */
const PATIENCE = 2000;

/**
 * A blob that is sent while it is made, before anybody knows its digest: in one request whose length is open, which is how
 * docker sends layers, and so what registries take. Disposing of it gives it up, unless it was {@link finish}ed: what it sends is
 * ended, not cut off, for then the registry says where the upload can be taken back.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-a-blob-in-chunks
 */
export class EarlyUpload implements AsyncDisposable {
  readonly #client: RegistryClient;
  readonly #repository: Repository;
  /** Ends what is sent. */
  readonly #stop = new AbortController();
  /** Cuts off what is sent. */
  readonly #cancel = new AbortController();
  /** Told how much was sent, in bytes. */
  onSent: (sent: number) => void = () => {};
  /** Where it can be ended once all is sent; undefined where that did not work. */
  readonly #sent: Promise<URL | undefined>;
  #location: URL | undefined;

  private constructor(
    client: RegistryClient,
    repository: Repository,
    location: URL,
    bytes: () => AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ) {
    this.#client = client;
    this.#repository = repository;
    this.#location = location;
    const stop = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
    const until = (): AsyncIterable<Uint8Array> => untilAborted(bytes(), stop);
    this.#sent = this.#send(location, until, this.#cancel.signal).catch(ifNotTaken);
    this.#sent.catch(() => {}); // finish() tells
  }

  /**
   * Asks for a place and begins to send.
   * @param bytes waits where there are no more yet
   * @throws RegistryError where nothing may be sent
   */
  static async begin(
    client: RegistryClient,
    repository: Repository,
    bytes: () => AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<EarlyUpload> {
    const location = await beginUpload(repository, signal);
    return new EarlyUpload(client, repository, location, bytes, signal);
  }

  async #send(location: URL, open: () => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<URL> {
    const { host, name } = this.#repository;
    const response = await host.send({
      method: 'PATCH',
      to: location,
      headers: { 'content-type': 'application/octet-stream' },
      body: { size: undefined, open: () => counted(open(), (sent) => this.onSent(sent)) },
      scopes: [repositoryScope(name, 'push')],
      doing: `write to ${name}`,
      expect: [202],
      isRepeatable: false,
      headersTimeout: this.#client.timing.commit,
      signal,
    });
    await response.discard();
    this.#location = locationOf(response, host.name);
    return this.#location;
  }

  /**
   * Says what was sent, once all of it was made.
   * @returns whether it is there now; if not, it has to be sent in another way
   * @throws RegistryError `aborted`
   */
  async finish(digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
    const location = await this.#sent;
    throwIfAborted(signal); // not all of it was sent then
    if (location === undefined) return false;
    try {
      await endUpload(this.#repository, location, digest, undefined, this.#client.timing.commit, signal);
    } catch (error) {
      ifNotTaken(error);
      return false;
    }
    this.#location = undefined;
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    const patience = setTimeout(() => this.#cancel.abort(), PATIENCE);
    await this.#sent.catch(() => {});
    clearTimeout(patience);
    if (this.#location !== undefined) await giveUp(this.#repository, this.#location);
  }
}

/** Passes bytes on until they are to end; who makes them is not waited for then. */
async function* untilAborted(
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  const { promise: aborted, resolve: abort } = Promise.withResolvers<undefined>();
  const end = (): void => abort(undefined);
  signal.addEventListener('abort', end);
  try {
    while (!signal.aborted) {
      const next = await Promise.race([iterator.next(), aborted]);
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', end);
    iterator.return?.().catch(() => {});
  }
}

/** That a registry, or something on the way to it, does not take a blob in this way does not matter: there is another. */
function ifNotTaken(error: unknown): undefined {
  if (!(error instanceof RegistryError) || error.code === 'aborted') throw error;
}
