import { mkdir } from 'node:fs/promises';
import { flattenTrees, hostPath, type ChainView, type HostPath, type Toc } from '@caisson/layer';
import { canonicalJson, digestOf } from '@caisson/oci';
import { formId, removeTreeLater, type FormId, type Session, type Store } from '@caisson/store';
import { Once } from '../once.ts';
import type { FileState, StateLayer } from '../state.ts';

/** What a group of layers is merged from. */
export interface FlatTreeSources {
  /** The folders that show a layer, lowest first. */
  readonly tree: (layers: readonly StateLayer[], index: number) => Promise<readonly string[]>;
  readonly toc: (layers: readonly StateLayer[], index: number) => Promise<Toc>;
  readonly view: (state: FileState) => Promise<ChainView>;
}

/** Groups of layers as one tree each, for chains that are longer than what is mounted. */
export class FlatTrees {
  readonly #store: Store;
  readonly #session: Session;
  readonly #sources: FlatTreeSources;
  readonly #known = new Once<FormId, Promise<readonly string[]>>();

  constructor(store: Store, session: Session, sources: FlatTreeSources) {
    this.#store = store;
    this.#session = session;
    this.#sources = sources;
  }

  /** The one tree of the last layers of a chain, from an index on. */
  of(layers: readonly StateLayer[], index: number): Promise<readonly string[]> {
    const form = formId(
      'chain',
      digestOf(canonicalJson(['flat', index, ...layers.map(({ diffId }) => diffId)])),
    );
    return this.#known.get(form, () => this.#load(layers, index, form));
  }

  /** Forgets what it has worked out. */
  clear(): void {
    this.#known.clear();
  }

  async #load(layers: readonly StateLayer[], index: number, form: FormId): Promise<readonly string[]> {
    const { forms } = this.#store;
    if ((await forms.treeBase(this.#session, form)) === undefined) await this.#make(layers, index, form);
    return [forms.treePath(form)];
  }

  async #make(layers: readonly StateLayer[], index: number, form: FormId): Promise<void> {
    const { tree, toc, view } = this.#sources;
    const group: { toc: Toc; trees: HostPath[] }[] = [];
    for (let at = index; at < layers.length; at++)
      group.push({ toc: await toc(layers, at), trees: (await tree(layers, at)).map(hostPath) });
    const below = await view({ layers: layers.slice(0, index) });
    const path = this.#session.newPath('tree');
    await mkdir(path, { mode: 0o755 });
    try {
      flattenTrees({ below, layers: group, tree: hostPath(path) });
      const size = layers.slice(index).reduce((sum, { descriptor }) => sum + descriptor.size, 0);
      await this.#store.forms.adoptTree(this.#session, path, form, { size });
    } catch (error) {
      await removeTreeLater(path);
      throw error;
    }
  }
}
