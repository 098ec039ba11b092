import {
  familiarName,
  isForeignLayer,
  manifestBytes,
  MEDIA_TYPES,
  digestOf,
  parseDigest,
  type Compression,
  type Descriptor,
  type Digest,
  type Reference,
} from '@caisson/oci';
import type { Session, Store, StoredImage } from '@caisson/store';
import type { RegistryClient, Repository } from './client.ts';
import { compressLayer, rememberedForm, type LayerFile } from './compress-layer.ts';
import { RegistryError } from './errors.ts';
import { bytesBody } from './transport/http.ts';
import { repositoryScope } from './transport/scope.ts';
import { transferAll } from './transfer-all.ts';
import { hasBlob, uploadBlob, type Arrival, type BlobToSend } from './upload.ts';

/** What pushing needs. */
export interface PushOptions {
  readonly store: Store;
  readonly session: Session;
  /** How layers that lie uncompressed in the store travel. Others travel as they are. */
  readonly compression: Compression;
  readonly onTransfer?: (event: {
    readonly digest: Digest;
    readonly size: number;
    readonly arrival: Arrival;
  }) => void;
  readonly signal?: AbortSignal;
}

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
  const transfer: Transfer = { client, repository, options, sources };
  const layers = await transferAll(
    image.manifest.layers,
    (layer, index, signal) => pushLayer(transfer, image, layer, index, signal),
    options.signal,
  );
  const config = { ...image.manifest.config, open: () => options.store.blobs.read(image.id) };
  await pushBlob(transfer, config, options.signal);
  const isSame = layers.every((layer, index) => layer.digest === image.manifest.layers[index]?.digest);
  const bytes = isSame
    ? await options.store.blobs.document(image.descriptor.digest)
    : manifestBytes(image.manifest.config, layers);
  const mediaType = isSame ? image.descriptor.mediaType : MEDIA_TYPES.ociManifest;
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  await putManifest(repository, reference, descriptor, bytes, options.signal);
  return descriptor;
}

interface Transfer {
  readonly client: RegistryClient;
  readonly repository: Repository;
  readonly options: PushOptions;
  readonly sources: ReadonlyMap<Digest, readonly string[]>;
}

/** Sends a layer in the compression that was asked for. @returns its descriptor as the registry has it */
async function pushLayer(
  transfer: Transfer,
  image: StoredImage,
  layer: Descriptor,
  index: number,
  signal: AbortSignal,
): Promise<Descriptor> {
  const { options, repository } = transfer;
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
  const wasAskedFor = form.descriptor.digest === known?.digest;
  await (wasAskedFor ? sendBlob : pushBlob)(
    transfer,
    { ...form.descriptor, open: () => form.open() },
    signal,
  );
  return form.descriptor;
}

/** Sends a blob that the registry may have. */
async function pushBlob(
  transfer: Transfer,
  blob: BlobToSend,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { repository, options } = transfer;
  const { digest, size } = blob;
  if (await hasBlob(repository, digest, signal)) options.onTransfer?.({ digest, size, arrival: 'was-there' });
  else await sendBlob(transfer, blob, signal);
}

/** Sends a blob that the registry does not have. */
async function sendBlob(
  { client, repository, options, sources }: Transfer,
  blob: BlobToSend,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { digest, size } = blob;
  const arrival = await uploadBlob(client, repository, blob, sources.get(digest) ?? [], signal);
  options.onTransfer?.({ digest, size, arrival });
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
