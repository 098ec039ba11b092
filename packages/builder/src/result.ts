import type { Descriptor, Digest, ImageConfig } from '@caisson/oci';
import type { RuntimeName } from '@caisson/runtime';

/** What a build gave. */
export interface BuildResult {
  /** What its logs and its report go by. */
  readonly buildId: string;
  /** The digest of the config: the same whatever the compression of layers. */
  readonly imageId: Digest;
  /** The manifest in the store. */
  readonly manifest: Descriptor;
  readonly config: ImageConfig;
  /** The full names that the image got. */
  readonly names: readonly string[];
  /** How many steps the cache had, and how many ran. */
  readonly steps: { readonly cached: number; readonly ran: number };
  /** What ran the RUN steps, and whether they had the host's network; undefined where none ran. */
  readonly isolation: { readonly runtime: RuntimeName; readonly network: 'host' | 'none' } | undefined;
}
