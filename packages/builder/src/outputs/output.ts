import type { Descriptor, ImageConfig, Manifest } from '@caisson/oci';
import type { Session, Store } from '@caisson/store';
import type { Chains } from '../snapshot/chains.ts';
import type { FileState } from '../state.ts';

/** A finished image, to be written somewhere. */
export interface FinishedImage {
  readonly store: Store;
  readonly session: Session;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** The full names that it goes by. */
  readonly names: readonly string[];
  /** The files, and what is derived from them. */
  readonly state: FileState;
  readonly chains: Chains;
}
