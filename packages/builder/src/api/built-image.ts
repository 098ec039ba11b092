import type { Descriptor, Digest, ImageConfig } from '@caisson/oci';
import type { StepInfo, Warning } from '../events.ts';
import type { BuildResult, PlatformImages } from '../result.ts';
import type { MissReason } from '../solve/miss-reason.ts';

/** A step of a build that worked out. */
export interface BuiltStep extends StepInfo {
  /** Whether the cache had what it gives. */
  readonly outcome: 'cached' | 'ran';
  readonly key: Digest;
  /** Of a step that ran, in milliseconds. */
  readonly duration?: number;
  /** Why it ran. */
  readonly reason?: MissReason;
}

/** What a build gave. */
export interface BuiltImage {
  /**
   * The image id, the digest of its config: the same whatever the compression of layers. Where several platforms were built for,
   * the digest of the index that lists their images.
   */
  readonly id: Digest;
  /** The digest of its manifest, or of the index, as the store has it. A registry may have another: see `pushed`. */
  readonly digest: Digest;
  /** The descriptor of that manifest, or of the index. */
  readonly manifest: Descriptor;
  /** That of the first platform. */
  readonly config: ImageConfig;
  /** One a platform, in the order in which they were asked for. */
  readonly images: PlatformImages;
  /** The full names that it got. */
  readonly names: readonly string[];
  /** Whether the store has all of it, and names it. */
  readonly isStored: boolean;
  /** In the order of the Dockerfile. */
  readonly steps: readonly BuiltStep[];
  /** Those with a path have it. */
  readonly outputs: readonly { readonly type: string; readonly dest?: string }[];
  /** Where it was sent to, and the digest of its manifest there. */
  readonly pushed: readonly { readonly name: string; readonly digest: Digest }[];
  /** What ran the RUN steps, and whether they had the host's network; undefined where none ran. */
  readonly isolation: BuildResult['isolation'];
  readonly warnings: readonly Warning[];
  /** How long the build took, in milliseconds. */
  readonly duration: number;
}
