import { mkdir, rm } from 'node:fs/promises';
import {
  applyLayer,
  encodeToc,
  LayerError,
  type Applied,
  type ApplyRequest,
  type ChainView,
  type HostPath,
  type Toc,
} from '@caisson/layer';
import type { Digest } from '@caisson/oci';
import type { Lower } from '@caisson/runtime';
import { ownLayer, type FormId, type Session, type Store } from '@caisson/store';
import { buildError } from '../failure.ts';
import { layerAt, type FileState, type StateLayer } from '../state.ts';
import type { ArrivingLayers } from './arriving-layers.ts';
import { partIn } from './part-in.ts';

/** What is known of the layers that another one is read on. */
interface Known {
  readonly view: (state: FileState) => Promise<ChainView>;
  /** What the files of a layer are read from. */
  readonly readable: (layers: readonly StateLayer[], index: number) => Promise<readonly Lower[]>;
  readonly storedToc: (form: FormId) => Promise<Toc | undefined>;
  /** Ends the reading of any layer. */
  readonly signal: AbortSignal | undefined;
}

/** What is made of a layer while it is read, besides its table of contents. */
interface Wanted {
  /** An empty folder, for its tree. */
  readonly tree?: HostPath | undefined;
  /** A new file, for what it is without compression. */
  readonly tar?: HostPath | undefined;
}

/** A layer of so many bytes, compressed, is decompressed in a thread of its own. */
const LARGE = 16_000_000;

/** Reads layers, each on those below it; one that is not there yet, while it comes. */
export class LayerReader {
  readonly #store: Store;
  readonly #session: Session;
  readonly #arriving: ArrivingLayers;
  readonly #known: Known;

  constructor(store: Store, session: Session, arriving: ArrivingLayers, known: Known) {
    this.#store = store;
    this.#session = session;
    this.#arriving = arriving;
    this.#known = known;
  }

  /** @throws BuildError `bad-image` for a layer that cannot be used, or is not the one that the image's config names */
  async apply(layers: readonly StateLayer[], index: number, wanted: Wanted = {}): Promise<Applied> {
    const layer = layerAt(layers, index);
    const request = await this.#requestOn(layers, index, wanted);
    const isLarge = layer.descriptor.size >= LARGE;
    const applied = await this.#read(layer, { ...request, isLarge });
    if (applied.diffId !== layer.diffId) {
      const message = `the layer ${layer.descriptor.digest} holds ${applied.diffId}, but the image's config says ${layer.diffId}`;
      throw buildError('bad-image', message);
    }
    // What was written with the layer says more: where the bytes of files lie, and their digests.
    const { form } = layer;
    const isThere = ownLayer(form) !== undefined && (await this.#known.storedToc(form)) !== undefined;
    if (!isThere) await this.#store.forms.putToc(this.#session, form, encodeToc(applied.toc));
    return applied;
  }

  async #requestOn(
    layers: readonly StateLayer[],
    index: number,
    { tree, tar }: Wanted,
  ): Promise<Omit<ApplyRequest, 'source'>> {
    const below = await this.#known.view({ layers: layers.slice(0, index) });
    const { signal } = this.#known;
    const both = { below, signal, ...(tar === undefined ? {} : { tar }) };
    if (tree === undefined) return both;
    // A layer of a base may link to files below it; ours do not.
    const linksBelow = layerAt(layers, index).created === undefined;
    const lowers: (readonly Lower[])[] = [];
    for (const at of linksBelow ? layers.slice(0, index).keys() : [])
      lowers.push(await this.#known.readable(layers, at));
    return { ...both, tree, contentBelow: (found) => partIn(lowers[found.layer] ?? [], found) };
  }

  async #read(layer: StateLayer, request: Omit<ApplyRequest, 'source'>): Promise<Applied> {
    const { digest } = layer.descriptor;
    try {
      return (await this.#readWhileItComes(layer, request)) ?? (await this.#readAgain(digest, request));
    } catch (error) {
      if (!(error instanceof LayerError)) throw error;
      throw buildError('bad-image', `the layer ${digest} cannot be used: ${error.message}`, {}, error);
    }
  }

  /** @returns undefined where what came first was wrong: nothing was made of it, and the right bytes are there now */
  async #readWhileItComes(
    layer: StateLayer,
    request: Omit<ApplyRequest, 'source'>,
  ): Promise<Applied | undefined> {
    const arriving = this.#arriving.take(layer);
    try {
      return await applyLayer({ ...request, source: arriving.bytes() });
    } catch (error) {
      if (error instanceof LayerError && error.code !== 'not-decompressed') arriving.refuse(error);
      try {
        await arriving.provided; // nobody goes on fetching it; and what kept it from coming is told first
      } catch (why) {
        throw isCausedBy(why, error) ? error : why;
      }
      if (arriving.isBroken) return undefined;
      throw error;
    }
  }

  async #readAgain(digest: Digest, request: Omit<ApplyRequest, 'source'>): Promise<Applied> {
    const { tree, tar } = request;
    if (tree !== undefined) await mkdir(tree, { mode: 0o755 }); // it was removed
    if (tar !== undefined) await rm(tar, { force: true });
    return applyLayer({ ...request, source: this.#store.blobs.read(digest) });
  }
}

function isCausedBy(error: unknown, cause: unknown): boolean {
  return error === cause || (error instanceof Error && isCausedBy(error.cause, cause));
}
