import { canonicalJson, digestOf, type Descriptor, type DiffId, type Digest } from '@caisson/oci';
import type { FormId } from '@caisson/store';
import type { StepInfo } from './events.ts';

/** A layer, before it is put on others. */
export interface LayerOfState {
  readonly diffId: DiffId;
  /**
   * What the layer counts as in keys: the content digest of one that a step made, so that a step which gives the same
   * files again changes nothing behind it; the diff id of one of a base image.
   */
  readonly content: Digest;
  /** What its tree, its map and its table of contents are called. */
  readonly form: FormId;
  /** As it lies in the store. */
  readonly descriptor: Descriptor;
  /** When the step that made it ran, RFC 3339; undefined for a layer of a base image. */
  readonly created: string | undefined;
  /** The step that it comes from; undefined for a layer of a base image. */
  readonly step?: StepInfo;
}

/** A layer of a state. */
export interface StateLayer extends LayerOfState {
  /** What the state that ends with this layer counts as in keys. */
  readonly state: Digest;
}

/** The files at one point of a build: a chain of layers, lowest first. */
export interface FileState {
  readonly layers: readonly StateLayer[];
}

/** One of the layers of a chain. @throws Error where there is no such layer, which is a bug */
export function layerAt(layers: readonly StateLayer[], index: number): StateLayer {
  const layer = layers[index];
  if (layer === undefined) throw new Error('Internal error: no such layer');
  return layer;
}

/** Whether a layer lies in the store as the tar that it is, without compression. */
export function isPlain({ diffId, descriptor }: Pick<LayerOfState, 'diffId' | 'descriptor'>): boolean {
  return (diffId satisfies Digest as Digest) === descriptor.digest;
}

/** No files. */
export const EMPTY_STATE: FileState = { layers: [] };

const EMPTY_DIGEST = digestOf(canonicalJson([]));

/** What a state counts as in keys: one digest, made from that of the state below and the content of the layer. */
export function stateDigest({ layers }: FileState): Digest {
  return layers.at(-1)?.state ?? EMPTY_DIGEST;
}

/** A state with one more layer. */
export function withLayer(below: FileState, layer: LayerOfState): FileState {
  return { layers: [...below.layers, { ...layer, state: digestOf(statePart(below, layer.content)) }] };
}

/** What the digest of a state is made from. */
export function statePart(below: FileState, content: Digest): string {
  return canonicalJson([stateDigest(below), content]);
}
