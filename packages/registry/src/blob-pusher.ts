import type { Digest } from '@caisson/oci';
import type { RegistryClient, Repository } from './client.ts';
import { counted } from './counted.ts';
import { EarlyUpload } from './early-upload.ts';
import { hasBlob, uploadBlob, type Arrival, type BlobToSend } from './upload.ts';

/** Told of each blob that is on the other side now. */
export type OnArrival = (event: {
  readonly digest: Digest;
  readonly size: number;
  readonly arrival: Arrival;
}) => void;

/** Told how much of a blob was sent, in bytes; from the beginning again where it is sent again. */
export type OnSent = (blob: Pick<BlobToSend, 'digest' | 'size'>, sent: number) => void;

/** Brings blobs to a repository, those that it does not have. */
export class BlobPusher {
  readonly #client: RegistryClient;
  readonly #repository: Repository;
  readonly #onArrival: OnArrival;
  readonly #onSent: OnSent;

  constructor(
    client: RegistryClient,
    repository: Repository,
    onArrival: OnArrival = () => {},
    onSent: OnSent = () => {},
  ) {
    this.#onSent = onSent;
    this.#client = client;
    this.#repository = repository;
    this.#onArrival = onArrival;
  }

  /** Whether a blob is there; if it is, nothing more has to be done for it. */
  async isThere(
    { digest, size }: Pick<BlobToSend, 'digest' | 'size'>,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (!(await hasBlob(this.#repository, digest, signal))) return false;
    this.#onArrival({ digest, size, arrival: 'was-there' });
    return true;
  }

  /**
   * Sends a blob that is not there.
   * @param mountFrom repositories of the registry that should have it
   */
  async send(blob: BlobToSend, mountFrom: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const told = { ...blob, open: () => counted(blob.open(), (sent) => this.#onSent(blob, sent)) };
    const arrival = await uploadBlob(this.#client, this.#repository, told, mountFrom, signal);
    this.#onArrival({ digest: blob.digest, size: blob.size, arrival });
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
    early.onSent = (sent) => this.#onSent(blob, sent);
    const isSent = await early.finish(blob.digest, signal);
    if (isSent) this.#onArrival({ digest: blob.digest, size: blob.size, arrival: 'sent' });
    return isSent;
  }

  /** Sends a blob, unless it is there. */
  async push(blob: BlobToSend, mountFrom: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    if (!(await this.isThere(blob, signal))) await this.send(blob, mountFrom, signal);
  }
}
