import type { ImageConfig } from '@caisson/oci';
import type { FileState } from '../state.ts';

/** An image that a stage builds on, or that COPY takes files from: what is known of it before it is fetched. */
export interface BaseImage {
  /** As people write it: `debian:bookworm-slim`. */
  readonly name: string;
  readonly config: ImageConfig;
  readonly state: FileState;
}
