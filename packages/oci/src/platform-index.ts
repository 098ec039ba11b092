import { digestOf } from './digest.ts';
import type { Descriptor, Index } from './manifest.ts';
import { MEDIA_TYPES } from './media-types.ts';
import type { Platform } from './platform.ts';

/** An index of images for several platforms. */
export interface PlatformIndex {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

/**
 * Lists images, one a platform, in the order in which they are given.
 * @param images each with what it was built for: its config may say what its base is for
 * @see https://github.com/opencontainers/image-spec/blob/main/image-index.md
 */
export function platformIndex(
  images: readonly { readonly descriptor: Descriptor; readonly platform: Platform }[],
): PlatformIndex {
  const manifests = images.map(({ descriptor: { mediaType, digest, size }, platform }) => ({
    mediaType,
    digest,
    size,
    platform,
  }));
  const index: Index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
  const bytes = new TextEncoder().encode(JSON.stringify(index));
  return {
    bytes,
    descriptor: { mediaType: MEDIA_TYPES.ociIndex, digest: digestOf(bytes), size: bytes.length },
  };
}
