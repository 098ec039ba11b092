import type { Digest } from '@caisson/oci';
import { ChainView, hostPath, type Applied, type Content, type Found, type Toc } from '@caisson/layer';
import type { LayerFiles, LayerSource, Lower } from '@caisson/runtime';
import type { FormId, Session, Store } from '@caisson/store';
import { ViewTree } from '../copy/view-tree.ts';
import { Once } from '../once.ts';
import { isPlain, layerAt, stateDigest, type FileState, type StateLayer } from '../state.ts';
import { ArrivingLayers } from './arriving-layers.ts';
import { FlatTrees } from './flat-trees.ts';
import { LayerMapper } from './layer-mapper.ts';
import { LayerReader } from './layer-reader.ts';
import { diffIdOf, LayerTrees } from './layer-trees.ts';
import type { MapSupport } from './map-support.ts';
import { partIn } from './part-in.ts';
import { SharedWork } from './shared-work.ts';
import type { StoredTocs } from './stored-tocs.ts';

/** Brings the blob of a layer into the store, if it is not there. */
export type LayerProvider = (layer: StateLayer) => Promise<void>;

/** What chains are made with. */
export interface ChainsParts {
  readonly store: Store;
  readonly session: Session;
  readonly provide: LayerProvider;
  readonly support: MapSupport;
  readonly stored: StoredTocs;
  /** Ends what is being made. */
  readonly signal: AbortSignal | undefined;
}

/**
 * How many layers of ours are mounted as one tree: the kernel takes 500 at most, and a look-up that misses asks each.
 */
const GROUP = 100;

/**
 * What is derived from chains of layers: tables of contents to look things up in, and trees to mount. Each is made
 * when something needs it, once, from the layer's tar and what lies below. A signal ends the waiting for it alone: others may
 * wait for the same.
 */
export class Chains {
  readonly #store: Store;
  readonly #session: Session;
  readonly #stored: StoredTocs;
  readonly #provide: LayerProvider;
  readonly #arriving: ArrivingLayers;
  readonly #reader: LayerReader;
  readonly #tocs = new Once<FormId, Promise<Toc>>();
  readonly #trees: LayerTrees;
  readonly #lowers = new Once<FormId, Promise<readonly Lower[]>>();
  readonly #readables = new Once<FormId, Promise<readonly Lower[]>>();
  readonly #support: MapSupport;
  readonly #maps: LayerMapper;
  readonly #flat: FlatTrees;
  readonly #views = new Once<Digest, Promise<ChainView>>();
  /** Layers that something will be mounted on: their map or tree is made in the same pass as their table of contents. */
  readonly #mounted = new Set<string>();
  readonly #work = new SharedWork();

  constructor({ store, session, provide, support, stored, signal }: ChainsParts) {
    this.#store = store;
    this.#stored = stored;
    this.#session = session;
    this.#provide = provide;
    this.#arriving = new ArrivingLayers(store, provide);
    this.#reader = new LayerReader(store, session, this.#arriving, {
      view: (state) => this.#view(state),
      readable: (layers, index) => this.#readable(layers, index),
      storedToc: (form) => stored.get(session, form),
      signal,
    });
    this.#trees = new LayerTrees(store, session, this.#reader, async (layers, index) => {
      if (this.#mounted.has(layerAt(layers, index).form)) await this.#toc(layers, index);
    });
    this.#support = support;
    this.#maps = new LayerMapper(store, session, {
      provide,
      toc: (layers, index) => this.#toc(layers, index),
      apply: (layers, index, tar) => this.#reader.apply(layers, index, { tar }),
    });
    this.#flat = new FlatTrees(store, session, {
      tree: (layers, index) => this.#trees.of(layers, index),
      toc: (layers, index) => this.#toc(layers, index),
      view: (state) => this.#view(state),
    });
  }

  /** Says that a state will be mounted sooner or later. */
  willMount(state: FileState): void {
    for (const layer of state.layers) this.#mounted.add(layer.form);
  }

  /** Whether what has to be mounted is mounted through maps: then nobody need write trees. */
  usesMaps(): Promise<boolean> {
    return this.#support.isUsable();
  }

  /** Forgets what it has worked out: a layer turned out to be lost, and others will take its place. */
  reset(): void {
    this.#arriving.clear();
    this.#tocs.clear();
    this.#trees.clear();
    this.#flat.clear();
    this.#lowers.clear();
    this.#readables.clear();
    this.#views.clear();
  }

  /** The layer on which the tree of a new one may lie that is much like an earlier one. */
  async baseFor(earlier: FormId): Promise<FormId | undefined> {
    const base = await this.#store.forms.baseFor(this.#session, earlier);
    return base !== undefined && (await this.#support.takes(base.kind)) ? base.form : undefined;
  }

  /** Settles when nothing is being made any more, and no layer travels that was to be read for it. */
  async settled(): Promise<void> {
    do {
      await this.#work.settled();
      await this.#arriving.settled();
    } while (this.#work.isOngoing);
  }

  /** The files of a state, to look things up in. */
  view(state: FileState, signal?: AbortSignal): Promise<ChainView> {
    return this.#work.wait(this.#view(state), signal);
  }

  #view(state: FileState): Promise<ChainView> {
    return this.#views.get(stateDigest(state), () => this.#makeView(state.layers));
  }

  /** The files of a state that something is taken from. */
  origin(title: string, state: FileState, signal: AbortSignal): Promise<ViewTree> {
    this.#willRead(state);
    return this.sources(title, state, signal);
  }

  /** Reads a state from which something will be taken. */
  async beginOrigin(state: FileState): Promise<void> {
    this.#willRead(state);
    await this.view(state);
  }

  /** Where a state has one layer, what is read lies in that, and it is unpacked in the pass in which it is looked into. */
  #willRead(state: FileState): void {
    if (state.layers.length === 1) this.willMount(state);
  }

  /** The files of a state, as COPY takes them. */
  async sources(title: string, state: FileState, signal: AbortSignal): Promise<ViewTree> {
    const view = await this.view(state, signal);
    return new ViewTree(title, view, (found) => this.content(state, found, signal));
  }

  async #makeView(layers: readonly StateLayer[]): Promise<ChainView> {
    const tocs: Toc[] = [];
    await this.#beginToFetch(layers, async ({ form }) => {
      if (this.#tocs.has(form)) return false;
      return (await this.#stored.get(this.#session, form)) === undefined;
    });
    for (const [index, layer] of layers.entries())
      tocs.push(await this.#unlessOneIsMissing(layer, this.#toc(layers, index)));
    return new ChainView(tocs);
  }

  /** What a sandbox gets of a state: what its host asks for. */
  source(state: FileState, signal: AbortSignal | undefined): LayerSource {
    return {
      lowers: () => this.lowers(state, signal),
      files: () => this.#work.wait(this.#files(state), signal),
    };
  }

  /** What a state is copied from, lowest first, where it cannot be mounted. */
  async #files(state: FileState): Promise<LayerFiles[]> {
    await this.#view(state); // every table of contents is in the store then
    const files: LayerFiles[] = [];
    for (const index of state.layers.keys()) files.push(await this.#filesOf(state.layers, index));
    return files;
  }

  async #filesOf(layers: readonly StateLayer[], index: number): Promise<LayerFiles> {
    const layer = layerAt(layers, index);
    const { forms, blobs } = this.#store;
    const id = layer.diffId;
    const toc = forms.tocPath(layer.form);
    if (layer.created !== undefined && isPlain(layer)) {
      await this.#provide(layer);
      return { id, toc, tar: blobs.path(layer.diffId), folders: [] };
    }
    const lowers = await this.#readable(layers, index);
    const mapped = lowers.find((lower) => typeof lower !== 'string');
    return { id, toc, tar: mapped?.tar, folders: lowers.filter((lower) => typeof lower === 'string') };
  }

  /** What a state is mounted from, lowest first. Of a long chain, many layers are one tree. */
  lowers(state: FileState, signal?: AbortSignal): Promise<Lower[]> {
    return this.#work.wait(this.#lowersOf(state), signal);
  }

  async #lowersOf({ layers }: FileState): Promise<Lower[]> {
    const lowers: Lower[] = [];
    await this.#beginToFetch(layers, async (layer) => {
      const { form } = layer;
      if (this.#tocs.has(form) || this.#lowers.has(form)) return false;
      if (await this.#support.isFor(layer)) return isPlain(layer) || !(await this.#maps.isThere(layer));
      return (await this.#store.forms.treeBase(this.#session, form)) === undefined;
    });
    const firstOwn = layers.findIndex(({ created }) => created !== undefined);
    for (let index = 0; index < layers.length;) {
      const isGroup = firstOwn !== -1 && index >= firstOwn && layers.length - index >= GROUP;
      const made = isGroup
        ? this.#flat.of(layers.slice(0, index + GROUP), index)
        : this.#lower(layers, index);
      lowers.push(...(await this.#unlessOneIsMissing(layerAt(layers, index), made)));
      index += isGroup ? GROUP : 1;
    }
    return lowers;
  }

  /** Layers that will be read, each on those below it, are fetched side by side. */
  async #beginToFetch(
    layers: readonly StateLayer[],
    isNeeded: (layer: StateLayer) => Promise<boolean>,
  ): Promise<void> {
    for (const layer of layers) {
      const isHere = this.#store.blobs.size(layer.descriptor.digest) !== undefined;
      if (!isHere && (await isNeeded(layer))) this.#arriving.begin(layer);
    }
  }

  /** Waits for what is made of a layer; where another one is missing, that goes on until the build has ended. */
  #unlessOneIsMissing<T>(layer: StateLayer, made: Promise<T>): Promise<T> {
    return this.#arriving.unlessOneIsMissing(layer, this.#work.wait(made, undefined));
  }

  /** The folders that show a state of one layer, lowest first. */
  trees({ layers }: FileState): Promise<readonly string[]> {
    if (layers.length !== 1) throw new Error('Internal error: not a state of one layer');
    return this.#work.wait(this.#trees.of(layers, 0), undefined);
  }

  /** What a layer is mounted from, lowest first. */
  #lower(layers: readonly StateLayer[], index: number): Promise<readonly Lower[]> {
    const { form } = layerAt(layers, index);
    return this.#lowers.get(form, () => this.#loadLower(layers, index));
  }

  /** What is there is used; what has to be made is a map, where that is worth it and the layer can have one. */
  async #loadLower(layers: readonly StateLayer[], index: number): Promise<readonly Lower[]> {
    const layer = layerAt(layers, index);
    const { form } = layer;
    const { forms, maps, blobs } = this.#store;
    const base = await forms.treeBase(this.#session, form);
    if (base !== undefined && (await this.#support.takes(base.kind))) {
      if (base.kind === 'tree') return this.#trees.of(layers, index);
      const tar = blobs.path(diffIdOf(base.form));
      return [{ map: maps.path(base.form, 'map'), tar }, forms.treePath(form)];
    }
    const mapped = (await this.#support.isFor(layer)) ? await this.#maps.map(layers, index) : undefined;
    return mapped === undefined ? this.#trees.of(layers, index) : [mapped];
  }

  /** Where the bytes of a file lie: in the tar of a layer that lies there as it is, else in its tree. */
  async content(state: FileState, found: Found, signal?: AbortSignal): Promise<Content> {
    const layer = state.layers[found.layer];
    if (layer === undefined || found.node.type !== 'file')
      throw new Error('Internal error: no file of this state');
    const { offset } = found.node;
    if (offset !== undefined && isPlain(layer))
      return { kind: 'file', path: hostPath(this.#store.blobs.path(layer.diffId)), offset };
    const { layers } = state;
    const isMounted = this.#mounted.has(layer.form);
    const lowers = isMounted ? this.#readable(layers, found.layer) : this.#trees.of(layers, found.layer);
    return { kind: 'file', ...partIn(await this.#work.wait(lowers, signal), found) };
  }

  /** What the files of a layer are read from: of a delta, folders alone, since what it lies on has other offsets. */
  #readable(layers: readonly StateLayer[], index: number): Promise<readonly Lower[]> {
    const { form } = layerAt(layers, index);
    return this.#readables.get(form, () => this.#loadReadable(layers, index));
  }

  async #loadReadable(layers: readonly StateLayer[], index: number): Promise<readonly Lower[]> {
    const lowers = await this.#lower(layers, index);
    return lowers.length === 1 ? lowers : this.#trees.of(layers, index);
  }

  #toc(layers: readonly StateLayer[], index: number): Promise<Toc> {
    const { form } = layerAt(layers, index);
    // A layer may be there twice: the upper one is not read on itself.
    const first = layers.findIndex((layer) => layer.form === form);
    return this.#tocs.get(form, () => this.#loadToc(layers, first));
  }

  async #loadToc(layers: readonly StateLayer[], index: number): Promise<Toc> {
    const { form } = layerAt(layers, index);
    const stored = await this.#stored.get(this.#session, form);
    if (stored !== undefined) return stored;
    const { toc } = this.#mounted.has(form)
      ? await this.#makeLower(layers, index)
      : await this.#reader.apply(layers, index);
    return toc;
  }

  /** Makes what a layer is mounted from, in the same pass in which it is read. */
  async #makeLower(layers: readonly StateLayer[], index: number): Promise<Applied> {
    const layer = layerAt(layers, index);
    if (await this.#support.isFor(layer)) return this.#maps.make(layers, index);
    const there = await this.#store.forms.treeBase(this.#session, layer.form);
    if (there !== undefined) return this.#reader.apply(layers, index);
    const { applied } = await this.#trees.make(layers, index);
    return applied;
  }
}
