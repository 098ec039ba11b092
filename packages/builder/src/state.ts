import { canonicalJson, digestOf, type Descriptor, type DiffId, type Digest } from '@caisson/oci';
import type { FormId } from '@caisson/store';

/** A layer of a state. */
export interface StateLayer {
  readonly diffId: DiffId;
  /**
   * What the layer counts as in keys: the content digest of one that a step made, so that a step which gives the same
   * files again changes nothing behind it; the diff id of one of a base image.
   */
  readonly content: Digest;
  /** What its tree and its table of contents are called. */
  readonly form: FormId;
  /** As it lies in the store. */
  readonly descriptor: Descriptor;
  /** When the step that made it ran, RFC 3339; undefined for a layer of a base image. */
  readonly created: string | undefined;
}

/** The files at one point of a build: a chain of layers, lowest first. */
export interface FileState {
  readonly layers: readonly StateLayer[];
}

/** No files. */
export const EMPTY_STATE: FileState = { layers: [] };

/** What a state counts as in keys. */
export function contentOf(state: FileState): readonly Digest[] {
  return state.layers.map((layer) => layer.content);
}

/** One digest for the content of a state. */
export function stateDigest(state: FileState): Digest {
  return digestOf(canonicalJson(contentOf(state)));
}
