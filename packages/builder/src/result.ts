import type { Descriptor, Digest, ImageConfig } from '@caisson/oci';
import type { RuntimeName } from '@caisson/runtime';

/** An image for one platform. */
export interface PlatformImage {
  /** `os/architecture[/variant]` */
  readonly platform: string;
  /** The digest of the config: the same whatever the compression of layers. */
  readonly imageId: Digest;
  /** The descriptor of its manifest, with layers as they lie in the store. */
  readonly manifest: Descriptor;
  readonly config: ImageConfig;
}

/** At least one. */
export type PlatformImages = readonly [PlatformImage, ...(readonly PlatformImage[])];

/** What a build gave. */
export interface BuildResult {
  /** What its logs and its report go by. */
  readonly buildId: string;
  /** The digest of the config; where several platforms were built for, that of the index that lists their images. */
  readonly imageId: Digest;
  /** The manifest in the store; where several platforms were built for, the index. */
  readonly manifest: Descriptor;
  /** One a platform, in the order in which they were asked for. */
  readonly images: PlatformImages;
  /** The full names that the image got. */
  readonly names: readonly string[];
  /** How many steps the cache had, and how many ran. */
  readonly steps: { readonly cached: number; readonly ran: number };
  /** What ran the RUN steps, and whether they had the host's network; undefined where none ran. */
  readonly isolation: { readonly runtime: RuntimeName; readonly network: 'host' | 'none' } | undefined;
}
