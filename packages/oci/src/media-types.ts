/**
 * The media types that Caisson reads and writes.
 * @see https://github.com/opencontainers/image-spec/blob/main/media-types.md
 */
export const MEDIA_TYPES = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayerTar: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociForeignLayerTar: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  ociForeignLayerGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayerTar: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerForeignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
} as const;

/** How the tar of a layer is compressed. */
export type Compression = 'none' | 'gzip' | 'zstd';

const LAYER_COMPRESSION: ReadonlyMap<string, Compression> = new Map(
  Object.entries<Compression>({
    [MEDIA_TYPES.ociLayerTar]: 'none',
    [MEDIA_TYPES.ociLayerGzip]: 'gzip',
    [MEDIA_TYPES.ociLayerZstd]: 'zstd',
    [MEDIA_TYPES.ociForeignLayerTar]: 'none',
    [MEDIA_TYPES.ociForeignLayerGzip]: 'gzip',
    [MEDIA_TYPES.dockerLayerTar]: 'none',
    [MEDIA_TYPES.dockerLayerGzip]: 'gzip',
    [MEDIA_TYPES.dockerForeignLayerGzip]: 'gzip',
  }),
);

/** The compression that a layer's media type declares, or undefined where it is no layer's. */
export function layerCompression(mediaType: string): Compression | undefined {
  return LAYER_COMPRESSION.get(mediaType);
}

/** The OCI media type of a layer in a compression. */
export function layerMediaType(compression: Compression): string {
  switch (compression) {
    case 'none':
      return MEDIA_TYPES.ociLayerTar;
    case 'gzip':
      return MEDIA_TYPES.ociLayerGzip;
    case 'zstd':
      return MEDIA_TYPES.ociLayerZstd;
  }
}

/** Whether a media type is that of an index (a list of manifests, by platform). */
export function isIndexType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.ociIndex || mediaType === MEDIA_TYPES.dockerManifestList;
}

/** Whether a media type is that of one image's manifest. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.ociManifest || mediaType === MEDIA_TYPES.dockerManifest;
}

/** Whether layers of this media type are downloaded but never pushed. */
export function isForeignLayer(mediaType: string): boolean {
  return (
    mediaType === MEDIA_TYPES.ociForeignLayerTar ||
    mediaType === MEDIA_TYPES.ociForeignLayerGzip ||
    mediaType === MEDIA_TYPES.dockerForeignLayerGzip
  );
}
