import { digestOf } from './digest.ts';
import type { ImageConfig } from './image-config.ts';
import type { Descriptor, Index } from './manifest.ts';
import { MEDIA_TYPES } from './media-types.ts';
import { platformOf } from './platform.ts';

/** An index of images for several platforms. */
export interface PlatformIndex {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

/**
 * Lists images, one a platform, in the order in which they are given; each with what its config says that it runs on.
 * @see https://github.com/opencontainers/image-spec/blob/main/image-index.md
 */
export function platformIndex(
  images: readonly { readonly descriptor: Descriptor; readonly config: ImageConfig }[],
): PlatformIndex {
  const manifests = images.map(({ descriptor: { mediaType, digest, size }, config }) => ({
    mediaType,
    digest,
    size,
    platform: platformOf(config),
  }));
  const index: Index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
  const bytes = new TextEncoder().encode(JSON.stringify(index));
  return {
    bytes,
    descriptor: { mediaType: MEDIA_TYPES.ociIndex, digest: digestOf(bytes), size: bytes.length },
  };
}
