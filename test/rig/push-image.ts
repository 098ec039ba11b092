import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** An image made by hand: what it holds is the test's choice, to the byte. */
export interface HandMadeImage {
  /** Tars, lowest first. */
  readonly layers: readonly Uint8Array[];
  /** Members of the config's `config`. */
  readonly config?: object;
  readonly history?: readonly object[];
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

/** What an image is known by on its registry. */
export interface Pushed {
  readonly digest: string;
  readonly size: number;
  readonly imageId: string;
  readonly mediaType: string;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

/** The digest of some bytes. */
export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A layer as it is put on a registry. */
export function compressed(tar: Uint8Array): Uint8Array {
  return gzipSync(tar, { level: 1 });
}

/** Puts an image on a registry, without any code of ours. */
export async function pushByHand(host: string, name: string, image: HandMadeImage): Promise<Pushed> {
  const [repository = '', tag = 'latest'] = name.split(':');
  const layers = image.layers.map((tar) => ({ diffId: sha256(tar), blob: compressed(tar) }));
  const config = Buffer.from(
    JSON.stringify({
      created: '2023-11-14T22:13:20Z',
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      ...image.platform,
      config: image.config ?? {},
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history:
        image.history ??
        layers.map(() => ({ created: '2023-11-14T22:13:20Z', created_by: 'ADD rootfs.tar /' })),
    }),
  );
  for (const { blob } of layers) await pushBlob(host, repository, blob);
  await pushBlob(host, repository, config);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: sha256(config),
        size: config.length,
      },
      layers: layers.map(({ blob }) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest: sha256(blob),
        size: blob.length,
      })),
    }),
  );
  await putManifest(host, repository, tag, manifest, MANIFEST);
  return {
    digest: sha256(manifest),
    size: manifest.length,
    imageId: sha256(config),
    mediaType: MANIFEST,
  };
}

/** Puts an index of images on a registry. @returns its digest */
export async function pushIndexByHand(
  host: string,
  name: string,
  entries: readonly (Pushed & { readonly platform: object })[],
): Promise<string> {
  const [repository = '', tag = 'latest'] = name.split(':');
  const manifests = entries.map(({ digest, size, mediaType, platform }) => ({
    mediaType,
    digest,
    size,
    platform,
  }));
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
  await putManifest(host, repository, tag, index, INDEX);
  return sha256(index);
}

async function pushBlob(host: string, repository: string, blob: Uint8Array): Promise<void> {
  const begun = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const place = new URL(begun.headers.get('location') ?? '', `http://${host}`);
  place.searchParams.set('digest', sha256(blob));
  const headers = { 'content-type': 'application/octet-stream' };
  const put = await fetch(place, { method: 'PUT', body: Buffer.from(blob), headers });
  if (put.status !== 201) throw new Error(`the registry answered ${put.status}: ${await put.text()}`);
}

async function putManifest(
  host: string,
  repository: string,
  tag: string,
  bytes: Buffer,
  mediaType: string,
): Promise<void> {
  const url = `http://${host}/v2/${repository}/manifests/${tag}`;
  const headers = { 'content-type': mediaType };
  const put = await fetch(url, { method: 'PUT', body: Buffer.from(bytes), headers });
  if (put.status !== 201) throw new Error(`the registry answered ${put.status}: ${await put.text()}`);
}
