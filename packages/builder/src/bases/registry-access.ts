import type * as Registry from '@caisson/registry';
import type { RegistryClient, RegistryOptions } from '@caisson/registry';

/** A client, and what can be done with it. */
export type OpenRegistry = Pick<
  typeof Registry,
  | 'BlobPusher'
  | 'fetchArtifact'
  | 'fetchBlob'
  | 'fetchImage'
  | 'ImagePull'
  | 'pullImage'
  | 'pushImages'
  | 'putDocuments'
  | 'putManifest'
  | 'readBlob'
  | 'resolveDigest'
  | 'sendLayer'
> & { readonly client: RegistryClient };

/**
 * The way to registries, opened when something asks for it first: a build that finds all in the store does not even
 * load the code.
 */
export class RegistryAccess implements AsyncDisposable {
  readonly #options: RegistryOptions;
  #opened: Promise<OpenRegistry> | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  open(): Promise<OpenRegistry> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open(): Promise<OpenRegistry> {
    const registry = await import('@caisson/registry');
    return { ...registry, client: new registry.RegistryClient(this.#options) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opened;
    await opened?.client[Symbol.asyncDispose]();
  }
}
