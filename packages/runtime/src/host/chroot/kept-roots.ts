import { readFileSync, rmSync, statSync } from 'node:fs';
import {
  decodeToc,
  fileIn,
  hostPath,
  StateTree,
  type FileEntry,
  type FilePart,
  type Toc,
} from '@caisson/layer';
import type { LayerFiles } from '../../sandbox-spec.ts';

/** A root, and the layers that it shows. */
interface Root {
  readonly tree: StateTree;
  readonly place: string;
  readonly layers: string[];
}

/** How many are kept that nothing runs on: each is a copy of all files of its state. */
const MOST_KEPT = 3;

/**
 * The roots that steps ran on. What a step leaves is the state behind it: the next one takes the folder over, with what
 * is new put on top, so that a stage copies its base once.
 */
export class KeptRoots {
  readonly #used = new Map<string, Root>();
  /** What was used last comes last. */
  readonly #kept: Root[] = [];
  readonly #check: (toc: Toc) => void;

  /** @param check looks at what a layer would bring, and throws where it must not */
  constructor(check: (toc: Toc) => void) {
    this.#check = check;
  }

  /** A root that shows layers: a kept one that shows the most of them from below, or a new one. */
  open(place: string, layers: readonly LayerFiles[]): string {
    const root = this.#take(layers) ?? { tree: new StateTree(hostPath(place)), place, layers: [] };
    this.#used.set(root.place, root);
    for (const layer of layers.slice(root.layers.length)) {
      putLayer(root.tree, layer, this.#check);
      root.layers.push(layer.id);
    }
    return root.place;
  }

  /** The tree of a root that is in use. */
  tree(place: string): StateTree {
    const root = this.#used.get(place);
    if (root === undefined) throw new Error(`Internal error: no root is used at ${place}`);
    return root.tree;
  }

  /** Nothing runs on a root any more, and one more layer was made of it. */
  keep(place: string, layer: string): void {
    const root = this.#used.get(place);
    if (root === undefined) return;
    this.#used.delete(place);
    root.layers.push(layer);
    this.#kept.push(root);
    while (this.#kept.length > MOST_KEPT) remove(this.#kept.shift()?.place);
  }

  /** Removes one that nobody needs. */
  drop(place: string): void {
    this.#used.delete(place);
    remove(place);
  }

  #take(layers: readonly LayerFiles[]): Root | undefined {
    const fits = this.#kept.filter((root) => root.layers.every((id, index) => id === layers[index]?.id));
    const best = fits.toSorted((a, b) => a.layers.length - b.layers.length).at(-1);
    if (best === undefined) return undefined;
    this.#kept.splice(this.#kept.indexOf(best), 1);
    return best;
  }
}

/** Puts the files of a layer into a tree that shows what it lies on. */
export function putLayer(
  tree: StateTree,
  { toc: path, tar, folders }: LayerFiles,
  check: (toc: Toc) => void,
): void {
  const toc = decodeToc(readFileSync(path, 'utf8'));
  check(toc);
  const places = folders.map(hostPath);
  tree.apply(toc, (file) => partOf(file, tar, places));
}

function partOf(file: FileEntry, tar: string | undefined, folders: Parameters<typeof fileIn>[0]): FilePart {
  if (tar === undefined) return { path: fileIn(folders, file.path) };
  if (file.offset === undefined) throw new Error(`Internal error: the bytes of ${file.path} lie nowhere`);
  return { path: hostPath(tar), offset: file.offset };
}

function remove(place: string | undefined): void {
  if (place !== undefined && statSync(place, { throwIfNoEntry: false }) !== undefined)
    rmSync(place, { recursive: true, force: true });
}
