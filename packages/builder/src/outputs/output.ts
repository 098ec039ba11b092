import {
  formatPlatform,
  type Descriptor,
  type ImageConfig,
  type Manifest,
  type Platform,
} from '@caisson/oci';
import type { Session, Store } from '@caisson/store';
import type { Chains } from '../snapshot/chains.ts';
import type { FileState } from '../state.ts';

/** What a build gave, to be written somewhere. */
export interface Finished {
  /** One; or one a platform, where several are built for. */
  readonly images: readonly FinishedImage[];
  /** The full names that it goes by. */
  readonly names: readonly string[];
  readonly store: Store;
  readonly session: Session;
}

/** A finished image. */
export interface FinishedImage {
  /** What it was built for. */
  readonly platform: Platform;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** The files, and what is derived from them. */
  readonly state: FileState;
  readonly chains: Chains;
}

/**
 * Where the files of each image go below one place: the files of one image there itself, those of several in a folder each, as
 * docker names them (`linux_arm64`).
 */
export function placed({ images }: Finished): { readonly image: FinishedImage; readonly folder: string }[] {
  const isOne = images.length === 1;
  return images.map((image) => ({ image, folder: isOne ? '' : platformFolder(image) }));
}

function platformFolder({ platform }: FinishedImage): string {
  return formatPlatform(platform).replaceAll('/', '_');
}
