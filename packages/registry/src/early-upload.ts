import type { Digest } from '@caisson/oci';
import type { RegistryClient, Repository } from './client.ts';
import { counted } from './counted.ts';
import { RegistryError } from './errors.ts';
import { beginUpload, endUpload, giveUp, locationOf } from './upload.ts';
import { repositoryScope } from './transport/scope.ts';

/**
 * A blob that is sent while it is made, before anybody knows its digest: in one request whose length is open, which is how
 * docker sends layers, and so what registries take. Disposing of it gives it up, unless it was {@link finish}ed.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-a-blob-in-chunks
 */
export class EarlyUpload implements AsyncDisposable {
  readonly #client: RegistryClient;
  readonly #repository: Repository;
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
    const either =
      signal === undefined ? this.#cancel.signal : AbortSignal.any([signal, this.#cancel.signal]);
    this.#sent = this.#send(location, bytes, either).catch(ifNotTaken);
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
    this.#cancel.abort();
    await this.#sent.catch(() => {});
    if (this.#location !== undefined) await giveUp(this.#repository, this.#location);
  }
}

/** That a registry, or something on the way to it, does not take a blob in this way does not matter: there is another. */
function ifNotTaken(error: unknown): undefined {
  if (!(error instanceof RegistryError) || error.code === 'aborted') throw error;
}
