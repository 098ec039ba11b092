import { mkdir } from 'node:fs/promises';
import {
  applyLayer,
  ChainView,
  hostPath,
  inFolder,
  isSameToc,
  LayerError,
  sameBytes,
  textOf,
  wrongInTree,
  type HostPath,
  type Toc,
} from '@caisson/layer';
import { chainIds, type Descriptor, type DiffId, type Digest } from '@caisson/oci';
import {
  formId,
  removeTreeLater,
  StoreError,
  type FormId,
  type Problem,
  type Session,
  type Store,
  type StoredImage,
} from '@caisson/store';
import { readToc } from '../snapshot/read-toc.ts';
import { tocProblem, treeProblem } from './form-problem.ts';
import { verifyMap } from './verify-maps.ts';

/** A layer of an image, and what is derived from it on its chain. */
interface ChainLayer {
  readonly form: FormId;
  readonly blob: Digest;
  readonly diffId: DiffId;
}

/** What is to be looked at. */
export interface ChainsToCheck {
  /** The layers of which something is there. */
  readonly there: ReadonlySet<FormId>;
  readonly signal: AbortSignal;
}

/**
 * Looks at what is derived from the layers of base images. It depends on the layers below, so each is made anew on
 * them, beside the store's, and compared.
 */
export class ChainChecks {
  /** What has been looked at. */
  readonly seen = new Set<FormId>();
  readonly #store: Store;
  readonly #session: Session;
  readonly #there: ReadonlySet<FormId>;
  readonly #tocs = new Map<FormId, Toc>();
  readonly #signal: AbortSignal;

  constructor(store: Store, session: Session, { there, signal }: ChainsToCheck) {
    this.#signal = signal;
    this.#store = store;
    this.#session = session;
    this.#there = there;
  }

  /** Goes through all images that are in the store. */
  async *run(): AsyncGenerator<Problem> {
    const bases = (await this.#store.bases.list()).map(({ manifest }) => manifest);
    for (const descriptor of [...(await this.#descriptors()), ...bases]) {
      const image = await this.#read(descriptor);
      if (image !== undefined) yield* this.#image(layersOf(image));
    }
  }

  /** The images of the index; none where it is damaged, which is told elsewhere. */
  async #descriptors(): Promise<readonly Descriptor[]> {
    try {
      return await this.#store.images.descriptors();
    } catch (error) {
      if (error instanceof StoreError) return [];
      throw error;
    }
  }

  /** An image; undefined for one that is damaged, which is told elsewhere. */
  async #read(descriptor: Descriptor): Promise<StoredImage | undefined> {
    try {
      return await this.#store.images.read(descriptor);
    } catch (error) {
      if (error instanceof StoreError) return undefined;
      throw error;
    }
  }

  async *#image(layers: readonly ChainLayer[]): AsyncGenerator<Problem> {
    const last = layers.findLastIndex(({ form }) => this.#there.has(form) && !this.seen.has(form));
    for (const [index, layer] of layers.slice(0, last + 1).entries()) {
      const { form, blob } = layer;
      if (this.#store.blobs.size(blob) === undefined) return; // it was never fetched: nothing was made of it
      if (!this.#tocs.has(form)) yield* this.#layer(layers.slice(0, index), layer);
      if (!this.#tocs.has(form)) return;
    }
  }

  async *#layer(below: readonly ChainLayer[], { form, blob, diffId }: ChainLayer): AsyncGenerator<Problem> {
    const { forms } = this.#store;
    const folder = this.#session.newPath('verify');
    await mkdir(folder);
    try {
      const tree = hostPath(folder);
      const toc = await this.#apply(below, blob, tree);
      if (toc === undefined) return;
      this.#tocs.set(form, toc);
      this.seen.add(form);
      const text = await forms.rawToc(form);
      const stored = readToc(text);
      if (text !== undefined && (stored === undefined || !isSameToc(stored, toc)))
        yield tocProblem(this.#store, form);
      yield* verifyMap(this.#store, form, toc, diffId);
      if (!forms.mayHaveTree(form)) return;
      const wrong = wrongInTree(hostPath(forms.treePath(form)), toc, (entry, at) =>
        sameBytes(inFolder(tree, entry.path), { path: at }),
      );
      if (wrong !== undefined) yield treeProblem(this.#store, this.#session, form, textOf(wrong));
    } finally {
      await removeTreeLater(folder);
    }
  }

  /** Makes the tree of a layer; undefined where it cannot be made: the blob is damaged, or a tree below is gone. */
  async #apply(below: readonly ChainLayer[], blob: Digest, tree: HostPath): Promise<Toc | undefined> {
    const tocs = below.flatMap(({ form }) => this.#tocs.get(form) ?? []);
    const { blobs, forms } = this.#store;
    try {
      const applied = await applyLayer({
        source: blobs.read(blob),
        signal: this.#signal,
        below: new ChainView(tocs),
        tree,
        contentBelow: ({ node, layer }) => {
          const form = below[layer]?.form;
          return { path: inFolder(hostPath(form === undefined ? '/' : forms.treePath(form)), node.path) };
        },
      });
      return applied.toc;
    } catch (error) {
      if (error instanceof LayerError || error instanceof StoreError) return undefined;
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

function layersOf({ manifest, config }: StoredImage): ChainLayer[] {
  const chains = chainIds(config.rootfs.diff_ids);
  return manifest.layers.flatMap(({ digest }, index) => {
    const chain = chains[index];
    const diffId = config.rootfs.diff_ids[index];
    if (chain === undefined || diffId === undefined) return [];
    return [{ form: formId('chain', chain), blob: digest, diffId }];
  });
}
