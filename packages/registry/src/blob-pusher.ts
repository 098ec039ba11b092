import type { Digest } from '@caisson/oci';
import type { KnownRepositories } from '@caisson/store';
import type { RegistryClient, Repository } from './client.ts';
import { counted } from './counted.ts';
import { EarlyUpload } from './early-upload.ts';
import { giveUp, hasBlob, mountBlob, uploadBlob, type Arrival, type BlobToSend } from './upload.ts';

/** Told of each blob that is on the other side now. */
export type OnArrival = (event: {
  readonly digest: Digest;
  readonly size: number;
  readonly arrival: Arrival;
}) => void;

/** Told how much of a blob was sent, in bytes; from the beginning again where it is sent again. */
export type OnSent = (blob: BlobName, sent: number) => void;

type BlobName = Pick<BlobToSend, 'digest' | 'size'>;

/** What is told of the blobs, and what is known of them. */
export interface BlobPusherOptions {
  /** Which repositories blobs were sent to: it is asked, and told. */
  readonly repositories: KnownRepositories;
  readonly onArrival?: OnArrival | undefined;
  readonly onSent?: OnSent | undefined;
}

/** Brings blobs to a repository, those that it does not have. */
export class BlobPusher {
  /** The host of the registry. */
  readonly registry: string;
  readonly #client: RegistryClient;
  readonly #repository: Repository;
  readonly #options: BlobPusherOptions;

  constructor(client: RegistryClient, repository: Repository, options: BlobPusherOptions) {
    this.registry = repository.host.name;
    this.#client = client;
    this.#repository = repository;
    this.#options = options;
  }

  /** Whether a blob is there; if it is, nothing more has to be done for it. */
  async isThere(blob: BlobName, signal: AbortSignal | undefined): Promise<boolean> {
    if (!(await hasBlob(this.#repository, blob.digest, signal))) return false;
    this.#arrived(blob, 'was-there');
    return true;
  }

  /**
   * Has the registry take a blob over from another of its repositories.
   * @param mountFrom repositories of the registry that may have it, besides those of which that is known
   * @returns whether it did: if not, nothing was begun
   */
  async takeOver(
    blob: BlobName,
    mountFrom: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const mounted = await mountBlob(this.#repository, blob.digest, this.#sources(blob, mountFrom), signal);
    if (mounted === 'mounted') this.#arrived(blob, 'mounted');
    else if (mounted !== undefined) await giveUp(this.#repository, mounted);
    return mounted === 'mounted';
  }

  /**
   * Sends a blob that is not there; the registry takes it over from another of its repositories, if it can.
   * @param mountFrom see {@link takeOver}
   */
  async send(blob: BlobToSend, mountFrom: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const { onSent = () => {} } = this.#options;
    const told = { ...blob, open: () => counted(blob.open(), (sent) => onSent(blob, sent)) };
    const from = this.#sources(blob, mountFrom);
    this.#arrived(blob, await uploadBlob(this.#client, this.#repository, told, from, signal));
  }

  /**
   * Begins to send a blob that is not made yet.
   * @param bytes waits where there are no more yet
   * @throws RegistryError where nothing may be sent
   */
  begin(bytes: () => AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<EarlyUpload> {
    return EarlyUpload.begin(this.#client, this.#repository, bytes, signal);
  }

  /** Sends the rest of a blob that is not there and is made now. @returns whether it is there then */
  async finish(early: EarlyUpload, blob: BlobToSend, signal: AbortSignal | undefined): Promise<boolean> {
    const { onSent = () => {} } = this.#options;
    early.onSent = (sent) => onSent(blob, sent);
    const isSent = await early.finish(blob.digest, signal);
    if (isSent) this.#arrived(blob, 'sent');
    return isSent;
  }

  /** Sends a blob, unless it is there. @param mountFrom see {@link takeOver} */
  async push(blob: BlobToSend, mountFrom: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    if (!(await this.isThere(blob, signal))) await this.send(blob, mountFrom, signal);
  }

  #arrived({ digest, size }: BlobName, arrival: Arrival): void {
    const { repositories, onArrival } = this.#options;
    repositories.note(digest, { registry: this.registry, repository: this.#repository.name });
    onArrival?.({ digest, size, arrival });
  }

  #sources({ digest }: BlobName, mountFrom: readonly string[]): string[] {
    const own = { registry: this.registry, repository: this.#repository.name };
    const known = this.#options.repositories.besides(own, digest);
    return [...new Set([...known, ...mountFrom])];
  }
}
