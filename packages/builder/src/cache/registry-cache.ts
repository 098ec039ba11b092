import {
  digestOf,
  familiarName,
  MEDIA_TYPES,
  type Descriptor,
  type DiffId,
  type Manifest,
  type Reference,
} from '@caisson/oci';
import type { BlobPusher, OnSent, Repository } from '@caisson/registry';
import type { KnownRepositories } from '@caisson/store';
import type { RegistryAccess } from '../bases/registry-access.ts';
import { RECORDS_TYPE } from './cache-document.ts';
import type { CacheBlob, CachePlace } from './cache-place.ts';
import { storedLayer, type LayerWriting } from './write-layer.ts';

/** A cache in a registry: a manifest under a tag, whose layers are those of images. */
export class RegistryCache implements CachePlace {
  readonly title: string;
  readonly repository: Pick<Reference, 'registry' | 'repository'>;
  readonly #reference: Reference;
  readonly #access: RegistryAccess;
  readonly #repositories: KnownRepositories;

  /** @param repositories where blobs were sent to */
  constructor(reference: Reference, access: RegistryAccess, repositories: KnownRepositories) {
    this.title = `the cache ${familiarName(reference)}`;
    this.repository = { registry: reference.registry, repository: reference.repository };
    this.#reference = reference;
    this.#access = access;
    this.#repositories = repositories;
  }

  async read(signal: AbortSignal): Promise<{ manifest: Manifest; config: Uint8Array } | undefined> {
    const { client, fetchArtifact } = await this.#access.open();
    return fetchArtifact(client, this.#reference, RECORDS_TYPE, signal);
  }

  async *open(descriptor: Descriptor, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { client, readBlob } = await this.#access.open();
    yield* readBlob(client, this.#reference, descriptor, signal);
  }

  async has(descriptor: Descriptor, signal: AbortSignal): Promise<boolean> {
    const { pusher } = await this.#open();
    return pusher.isThere(descriptor, signal);
  }

  async writeLayer(diffId: DiffId, size: number, options: LayerWriting): Promise<Descriptor> {
    const { onSent, onCompress, ...rest } = options;
    const { sendLayer } = await this.#access.open();
    const { pusher } = await this.#open(onSent);
    const far = (_layer: unknown, done: number): void => onCompress(done);
    return sendLayer(pusher, diffId, storedLayer(diffId, size), { ...rest, onCompress: far });
  }

  async write(
    { descriptor, open }: CacheBlob,
    from: readonly Reference[],
    signal: AbortSignal,
  ): Promise<void> {
    const { pusher } = await this.#open();
    const { registry, repository: own } = this.repository;
    const mountFrom = from
      .filter((each) => each.registry === registry && each.repository !== own)
      .map(({ repository }) => repository);
    await pusher.send({ ...descriptor, open }, mountFrom, signal);
  }

  async finish(manifest: Uint8Array, config: CacheBlob, signal: AbortSignal): Promise<void> {
    const { pusher, repository } = await this.#open();
    const { putManifest } = await this.#access.open();
    await pusher.push({ ...config.descriptor, open: config.open }, [], signal);
    const descriptor = {
      mediaType: MEDIA_TYPES.ociManifest,
      digest: digestOf(manifest),
      size: manifest.length,
    };
    await putManifest(repository, this.#reference, descriptor, manifest, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A registry keeps blobs that no manifest names for a while by itself.
  }

  async #open(onSent?: OnSent): Promise<{ readonly repository: Repository; readonly pusher: BlobPusher }> {
    const { client, BlobPusher: Pusher } = await this.#access.open();
    const repository = client.toWrite(this.#reference);
    const pusher = new Pusher(client, repository, { repositories: this.#repositories, onSent });
    return { repository, pusher };
  }
}
