import { mkdir } from 'node:fs/promises';
import { hostPath, type Applied } from '@caisson/layer';
import { MEDIA_TYPES, type DiffId } from '@caisson/oci';
import { ownLayer, removeTreeLater, type FormId, type Session, type Store } from '@caisson/store';
import { Once } from '../once.ts';
import { EMPTY_STATE, layerAt, withLayer, type StateLayer } from '../state.ts';
import type { LayerReader } from './layer-reader.ts';

/** Does what may make the tree of a layer beside something else that is wanted of it. */
type Beside = (layers: readonly StateLayer[], index: number) => Promise<void>;

/** Layers as folders, each made when something needs it, once. */
export class LayerTrees {
  readonly #store: Store;
  readonly #session: Session;
  readonly #reader: LayerReader;
  readonly #beside: Beside;
  readonly #known = new Once<FormId, Promise<readonly string[]>>();

  constructor(store: Store, session: Session, reader: LayerReader, beside: Beside) {
    this.#store = store;
    this.#session = session;
    this.#reader = reader;
    this.#beside = beside;
  }

  /** The folders that show a layer, lowest first. */
  of(layers: readonly StateLayer[], index: number): Promise<readonly string[]> {
    const { form } = layerAt(layers, index);
    return this.#known.get(form, () => this.#load(layers, index));
  }

  /** Forgets what it has worked out. */
  clear(): void {
    this.#known.clear();
  }

  async #load(layers: readonly StateLayer[], index: number): Promise<readonly string[]> {
    const { form } = layerAt(layers, index);
    const { forms } = this.#store;
    let there = await forms.treeBase(this.#session, form);
    if (there === undefined) {
      await this.#beside(layers, index);
      there = await forms.treeBase(this.#session, form);
    }
    const base = there?.form ?? (await this.make(layers, index)).base;
    const own = forms.treePath(form);
    return base === form ? [own] : [...(await this.#ofBase(base)), own];
  }

  /** The folders of what a delta lies on. A map of it is of no use to those who need folders. */
  #ofBase(form: FormId): Promise<readonly string[]> {
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
    return this.of(layers, 0);
  }

  /** Makes a tree of a layer. @returns on which layer the one lies that is there now: another build may have made a delta */
  async make(
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
export function diffIdOf(form: FormId): DiffId {
  const layer = ownLayer(form);
  if (layer === undefined) throw new Error(`Internal error: a tree that lies on ${form}`);
  return layer;
}
