import { mkdir } from 'node:fs/promises';
import { MEDIA_TYPES, type DiffId, type Digest } from '@caisson/oci';
import { ChainView, hostPath, type Applied, type Content, type Found, type Toc } from '@caisson/layer';
import type { LayerFiles, LayerSource, Lower } from '@caisson/runtime';
import { ownLayer, removeTreeLater, type FormId, type Session, type Store } from '@caisson/store';
import { ViewTree } from '../copy/view-tree.ts';
import {
  EMPTY_STATE,
  isPlain,
  layerAt,
  stateDigest,
  withLayer,
  type FileState,
  type StateLayer,
} from '../state.ts';
import { ArrivingLayers } from './arriving-layers.ts';
import { FlatTrees } from './flat-trees.ts';
import { LayerMapper } from './layer-mapper.ts';
import { LayerReader } from './layer-reader.ts';
import type { MapSupport } from './map-support.ts';
import { partIn } from './part-in.ts';
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
 * when something needs it, once, from the layer's tar and what lies below.
 */
export class Chains {
  readonly #store: Store;
  readonly #session: Session;
  readonly #stored: StoredTocs;
  readonly #provide: LayerProvider;
  readonly #arriving: ArrivingLayers;
  readonly #reader: LayerReader;
  readonly #tocs = new Map<string, Promise<Toc>>();
  readonly #trees = new Map<string, Promise<readonly string[]>>();
  readonly #lowers = new Map<string, Promise<readonly Lower[]>>();
  readonly #support: MapSupport;
  readonly #maps: LayerMapper;
  readonly #flat: FlatTrees;
  readonly #views = new Map<Digest, Promise<ChainView>>();
  /** Layers that something will be mounted on: their map or tree is made in the same pass as their table of contents. */
  readonly #mounted = new Set<string>();

  constructor({ store, session, provide, support, stored, signal }: ChainsParts) {
    this.#store = store;
    this.#stored = stored;
    this.#session = session;
    this.#provide = provide;
    this.#arriving = new ArrivingLayers(store, provide);
    this.#reader = new LayerReader(store, session, this.#arriving, {
      view: (state) => this.view(state),
      readable: (layers, index) => this.#readable(layers, index),
      storedToc: (form) => stored.get(session, form),
      signal,
    });
    this.#support = support;
    this.#maps = new LayerMapper(store, session, {
      provide,
      toc: (layers, index) => this.#toc(layers, index),
      apply: (layers, index, tar) => this.#reader.apply(layers, index, { tar }),
    });
    this.#flat = new FlatTrees(store, session, {
      tree: (layers, index) => this.#tree(layers, index),
      toc: (layers, index) => this.#toc(layers, index),
      view: (state) => this.view(state),
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
    this.#tocs.clear();
    this.#trees.clear();
    this.#flat.clear();
    this.#lowers.clear();
    this.#views.clear();
  }

  /** The layer on which the tree of a new one may lie that is much like an earlier one. */
  async baseFor(earlier: FormId): Promise<FormId | undefined> {
    const base = await this.#store.forms.baseFor(this.#session, earlier);
    return base !== undefined && (await this.#support.takes(base.kind)) ? base.form : undefined;
  }

  /** The files of a state, to look things up in. */
  view(state: FileState): Promise<ChainView> {
    const name = stateDigest(state);
    const known = this.#views.get(name) ?? this.#makeView(state.layers);
    this.#views.set(name, known);
    return known;
  }

  /** The files of a state, as COPY takes them. */
  async sources(title: string, state: FileState): Promise<ViewTree> {
    return new ViewTree(title, await this.view(state), (found) => this.content(state, found));
  }

  async #makeView(layers: readonly StateLayer[]): Promise<ChainView> {
    const tocs: Toc[] = [];
    const isUnknown = async ({ form }: StateLayer): Promise<boolean> =>
      (await this.#stored.get(this.#session, form)) === undefined;
    await this.#beginToFetch(layers, isUnknown);
    for (const index of layers.keys()) tocs.push(await this.#toc(layers, index));
    return new ChainView(tocs);
  }

  /** What a sandbox gets of a state: what its host asks for. */
  source(state: FileState): LayerSource {
    return { lowers: () => this.lowers(state), files: () => this.#files(state) };
  }

  /** What a state is copied from, lowest first, where it cannot be mounted. */
  async #files(state: FileState): Promise<LayerFiles[]> {
    await this.view(state); // every table of contents is in the store then
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
  async lowers({ layers }: FileState): Promise<Lower[]> {
    const lowers: Lower[] = [];
    await this.#beginToFetch(layers, () => true);
    const firstOwn = layers.findIndex(({ created }) => created !== undefined);
    for (let index = 0; index < layers.length;) {
      const isGroup = firstOwn !== -1 && index >= firstOwn && layers.length - index >= GROUP;
      lowers.push(
        ...(await (isGroup
          ? this.#flat.of(layers.slice(0, index + GROUP), index)
          : this.#lower(layers, index))),
      );
      index += isGroup ? GROUP : 1;
    }
    return lowers;
  }

  /** Layers that will be unpacked, each on those below it, are fetched side by side. */
  async #beginToFetch(
    layers: readonly StateLayer[],
    isNeeded: (layer: StateLayer) => Promise<boolean> | true,
  ): Promise<void> {
    for (const layer of layers) {
      const { form, created } = layer;
      if (created !== undefined || !this.#mounted.has(form)) continue;
      if (this.#tocs.has(form) || this.#lowers.has(form) || (await this.#support.isFor(layer))) continue;
      const there = await this.#store.forms.treeBase(this.#session, form);
      if (there === undefined && (await isNeeded(layer))) this.#arriving.begin(layer);
    }
  }

  /** The folders that show a state of one layer, lowest first. */
  trees({ layers }: FileState): Promise<readonly string[]> {
    if (layers.length !== 1) throw new Error('Internal error: not a state of one layer');
    return this.#tree(layers, 0);
  }

  /** What a layer is mounted from, lowest first. */
  #lower(layers: readonly StateLayer[], index: number): Promise<readonly Lower[]> {
    const { form } = layerAt(layers, index);
    const known = this.#lowers.get(form) ?? this.#loadLower(layers, index);
    this.#lowers.set(form, known);
    return known;
  }

  /** What is there is used; what has to be made is a map, where that is worth it and the layer can have one. */
  async #loadLower(layers: readonly StateLayer[], index: number): Promise<readonly Lower[]> {
    const layer = layerAt(layers, index);
    const { form } = layer;
    const { forms, maps, blobs } = this.#store;
    const base = await forms.treeBase(this.#session, form);
    if (base !== undefined && (await this.#support.takes(base.kind))) {
      if (base.kind === 'tree') return this.#tree(layers, index);
      const tar = blobs.path(diffIdOf(base.form));
      return [{ map: maps.path(base.form, 'map'), tar }, forms.treePath(form)];
    }
    const mapped = (await this.#support.isFor(layer)) ? await this.#maps.map(layers, index) : undefined;
    return mapped === undefined ? this.#tree(layers, index) : [mapped];
  }

  /** Where the bytes of a file lie: in the tar of a layer that lies there as it is, else in its tree. */
  async content(state: FileState, found: Found): Promise<Content> {
    const layer = state.layers[found.layer];
    if (layer === undefined || found.node.type !== 'file')
      throw new Error('Internal error: no file of this state');
    const { offset } = found.node;
    if (offset !== undefined && isPlain(layer))
      return { kind: 'file', path: hostPath(this.#store.blobs.path(layer.diffId)), offset };
    const { layers } = state;
    const isMounted = this.#mounted.has(layer.form);
    const lowers = isMounted ? this.#readable(layers, found.layer) : this.#tree(layers, found.layer);
    return { kind: 'file', ...partIn(await lowers, found) };
  }

  /** What the files of a layer are read from: of a delta, folders alone, since what it lies on has other offsets. */
  async #readable(layers: readonly StateLayer[], index: number): Promise<readonly Lower[]> {
    const lowers = await this.#lower(layers, index);
    return lowers.length === 1 ? lowers : this.#tree(layers, index);
  }

  #toc(layers: readonly StateLayer[], index: number): Promise<Toc> {
    const layer = layerAt(layers, index);
    const known = this.#tocs.get(layer.form) ?? this.#loadToc(layers, index);
    this.#tocs.set(layer.form, known);
    return known;
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
    const { applied } = await this.#makeTree(layers, index);
    return applied;
  }

  /** The folders that show a layer, lowest first. */
  #tree(layers: readonly StateLayer[], index: number): Promise<readonly string[]> {
    const { form } = layerAt(layers, index);
    const known = this.#trees.get(form) ?? this.#loadTree(layers, index);
    this.#trees.set(form, known);
    return known;
  }

  async #loadTree(layers: readonly StateLayer[], index: number): Promise<readonly string[]> {
    const { form } = layerAt(layers, index);
    const { forms } = this.#store;
    let there = await forms.treeBase(this.#session, form);
    if (there === undefined && this.#mounted.has(form)) {
      await this.#toc(layers, index); // to read it may be to make its tree
      there = await forms.treeBase(this.#session, form);
    }
    const base = there?.form ?? (await this.#makeTree(layers, index)).base;
    const own = forms.treePath(form);
    return base === form ? [own] : [...(await this.#treeOfBase(base)), own];
  }

  /** The folders of what a delta lies on. A map of it is of no use to those who need folders. */
  #treeOfBase(form: FormId): Promise<readonly string[]> {
    const diffId = diffIdOf(form);
    const size = this.#store.blobs.size(diffId) ?? 0;
    const descriptor = { mediaType: MEDIA_TYPES.ociLayerTar, digest: diffId, size };
    const { layers } = withLayer(EMPTY_STATE, {
      diffId,
      content: diffId,
      form,
      descriptor,
      created: undefined,
    });
    return this.#tree(layers, 0);
  }

  /** Makes a tree of a layer. @returns on which layer the one lies that is there now: another build may have made a delta */
  async #makeTree(
    layers: readonly StateLayer[],
    index: number,
  ): Promise<{ readonly applied: Applied; readonly base: FormId }> {
    const { form } = layerAt(layers, index);
    const path = this.#session.newPath('tree');
    await mkdir(path, { mode: 0o755 });
    try {
      const applied = await this.#reader.apply(layers, index, { tree: hostPath(path) });
      const base = await this.#store.forms.adoptTree(this.#session, path, form, { size: applied.size });
      if (base === undefined) throw new Error('Internal error: a whole tree was dropped');
      return { applied, base };
    } catch (error) {
      await removeTreeLater(path);
      throw error;
    }
  }
}

/** Deltas are of layers that Caisson wrote, and lie on such. */
function diffIdOf(form: FormId): DiffId {
  const layer = ownLayer(form);
  if (layer === undefined) throw new Error(`Internal error: a tree that lies on ${form}`);
  return layer;
}
