import PQueue from 'p-queue';
import {
  familiarName,
  isForeignLayer,
  manifestBytes,
  digestOf,
  parseDigest,
  type Descriptor,
  type Digest,
  type Reference,
} from '@caisson/oci';
import type { Session, Store, StoredImage } from '@caisson/store';
import type { RegistryClient, Repository } from './client.ts';
import { compressLayer, rememberedForm, type LayerFile, type PushCompression } from './compress-layer.ts';
import { RegistryError } from './errors.ts';
import { bytesBody } from './transport/http.ts';
import { repositoryScope } from './transport/scope.ts';
import { hasBlob, uploadBlob, type Arrival } from './upload.ts';

/** What pushing needs. */
export interface PushOptions {
  readonly store: Store;
  readonly session: Session;
  /** How layers that lie uncompressed in the store travel. Others travel as they are. */
  readonly compression: PushCompression;
  readonly onTransfer?: (event: {
    readonly digest: Digest;
    readonly size: number;
    readonly arrival: Arrival;
  }) => void;
  readonly signal?: AbortSignal;
}

/** How many blobs travel at once. */
const TRANSFERS = 4;

/**
 * Sends an image to its registry: layers and config first, those that it has not; the manifest last.
 * @param reference where to; its tag is what the manifest goes by
 * @returns the digest that the image has there
 * @throws RegistryError, StoreError
 */
export async function pushImage(
  client: RegistryClient,
  reference: Reference,
  image: StoredImage,
  options: PushOptions,
): Promise<Descriptor> {
  const repository = client.toWrite(reference);
  const sources = await repositoriesByLayer(options, reference);
  const queue = new PQueue({ concurrency: TRANSFERS });
  const cancel = new AbortController();
  const { signal } = options;
  const transfer: Transfer = {
    client,
    repository,
    options,
    sources,
    signal: signal === undefined ? cancel.signal : AbortSignal.any([signal, cancel.signal]),
  };
  let layers: Descriptor[];
  try {
    layers = await queue.addAll(
      image.manifest.layers.map((layer, index) => () => pushLayer(transfer, image, layer, index)),
    );
    await pushBlob(transfer, { ...image.manifest.config, ...storedFile(options.store, image.id) });
  } catch (error) {
    cancel.abort(error);
    queue.clear();
    await queue.onIdle();
    throw error;
  }
  const isSame = layers.every((layer, index) => layer.digest === image.manifest.layers[index]?.digest);
  const bytes = isSame
    ? await options.store.blobs.document(image.descriptor.digest)
    : manifestBytes(image.manifest.config, layers);
  const mediaType = isSame ? image.descriptor.mediaType : 'application/vnd.oci.image.manifest.v1+json';
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  await putManifest(repository, reference, descriptor, bytes, options.signal);
  return descriptor;
}

interface Transfer {
  readonly client: RegistryClient;
  readonly repository: Repository;
  readonly options: PushOptions;
  readonly sources: ReadonlyMap<Digest, readonly string[]>;
  readonly signal: AbortSignal;
}

/** Sends a layer in the compression that was asked for. @returns its descriptor as the registry has it */
async function pushLayer(
  transfer: Transfer,
  image: StoredImage,
  layer: Descriptor,
  index: number,
): Promise<Descriptor> {
  const { options, repository, signal } = transfer;
  const { store, session, compression, onTransfer } = options;
  if (isForeignLayer(layer.mediaType)) return layer;
  const diffId = image.config.rootfs.diff_ids[index];
  if (diffId === undefined) throw new Error('Internal error: an image that is not sound');
  const known = rememberedForm(store, diffId, layer, compression);
  if (known !== undefined && (await hasBlob(repository, known.digest, signal))) {
    onTransfer?.({ digest: known.digest, size: known.size, arrival: 'was-there' });
    return known;
  }
  await session.hold(layer.digest);
  await using form: LayerFile = await compressLayer(store, session, diffId, layer, compression, signal);
  await pushBlob(transfer, { ...form.descriptor, open: () => form.open() });
  return form.descriptor;
}

async function pushBlob(
  { client, repository, options, sources, signal }: Transfer,
  blob: { readonly digest: Digest; readonly size: number; open(): AsyncIterable<Uint8Array> },
): Promise<void> {
  const { digest, size } = blob;
  const isThere = await hasBlob(repository, digest, signal);
  const arrival = isThere
    ? 'was-there'
    : await uploadBlob(client, repository, blob, sources.get(digest) ?? [], signal);
  options.onTransfer?.({ digest, size, arrival });
}

function storedFile(store: Store, digest: Digest): { open(): AsyncIterable<Uint8Array> } {
  return { open: () => store.blobs.read(digest) };
}

/** Which other repositories of the registry should have a layer: those that it came from, as far as the store knows. */
async function repositoriesByLayer(
  { store }: PushOptions,
  { registry, repository }: Reference,
): Promise<Map<Digest, string[]>> {
  const found = new Map<Digest, string[]>();
  const prefix = `${registry}/`;
  const note = (name: string, layers: readonly Descriptor[]): void => {
    if (!name.startsWith(prefix)) return;
    const other = name.slice(prefix.length).replace(/[:@].*$/, '');
    if (other === repository) return;
    for (const { digest } of layers) found.set(digest, [...(found.get(digest) ?? []), other]);
  };
  for (const { names, manifest } of await store.images.list()) {
    for (const name of names) note(name, manifest.layers);
  }
  for (const base of (await store.bases.list()).values()) {
    if (store.blobs.size(base.manifest.digest) === undefined) continue;
    try {
      const { manifest } = await store.images.read(base.manifest);
      note(base.reference, manifest.layers);
    } catch {
      // Its config is not there, or is damaged: then nothing is known of it.
    }
  }
  return found;
}

/** @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests */
async function putManifest(
  { host, name }: Repository,
  reference: Reference,
  { mediaType, digest }: Descriptor,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const response = await host.send({
    method: 'PUT',
    to: `${name}/manifests/${reference.tag ?? digest}`,
    headers: { 'content-type': mediaType },
    body: bytesBody(bytes),
    scopes: [repositoryScope(name, 'push')],
    doing: `write ${familiarName(reference)}`,
    expect: [200, 201, 202],
    signal,
  });
  await response.discard();
  const answered = parseDigest(response.headers.get('docker-content-digest') ?? digest);
  if (answered.ok && answered.value === digest) return;
  throw new RegistryError(
    'digest-mismatch',
    `the registry ${host.name} took the manifest of ${familiarName(reference)} for another than was sent`,
  );
}
