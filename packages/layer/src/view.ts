import { childOf, componentsOf, ROOT, type BytePath } from './byte-path.ts';
import { BARE_ROOT, type DirectoryEntry, type Entry, type HardLinkEntry, type NodeEntry } from './entry.ts';
import type { Toc } from './toc.ts';

/** What a path is in a stack of layers. */
export interface Found {
  /** Attributes and content: for a hard link, those of the file that it names. Its `path` is that file's. */
  readonly node: NodeEntry;
  /** Which layer says so: an index into the stack. */
  readonly layer: number;
}

/** A folder as the stack shows it: the layers that have something in it, topmost first. */
interface Folder {
  readonly node: DirectoryEntry;
  readonly layer: number;
  readonly layers: readonly number[];
}

type Step =
  | { readonly kind: 'folder'; readonly folder: Folder }
  | { readonly kind: 'other'; readonly found: Found };

/**
 * Looks paths up in a stack of layers, as an overlay mount of them would, without mounting: from the tables of
 * contents alone. It follows no symlinks; `in-root.ts` does.
 */
export class ChainView {
  readonly #layers: readonly Toc[];
  /** Those that were looked for: undefined for what is none. */
  readonly #folders = new Map<BytePath, Folder | undefined>();

  /** @param layers lowest first */
  constructor(layers: readonly Toc[]) {
    this.#layers = layers;
  }

  /** What a path is, or undefined where there is nothing. A path through something that is no folder is nothing. */
  lookup(path: BytePath): Found | undefined {
    if (path === ROOT) {
      const root = this.#root();
      return { node: root.node, layer: root.layer };
    }
    const slash = path.lastIndexOf('/');
    const parent = this.#folder(slash === -1 ? ROOT : childOf(ROOT, path.slice(0, slash)));
    if (parent === undefined) return undefined;
    const step = this.#step(parent, path);
    if (step === undefined) return undefined;
    return step.kind === 'other' ? step.found : { node: step.folder.node, layer: step.folder.layer };
  }

  /** How many names what was found has in its layer, itself among them; layers above may have taken some of them away. */
  namesOf({ node, layer }: Found): number {
    return 1 + (this.#layers[layer]?.otherNamesOf(node.path) ?? 0);
  }

  /** The names in a folder, bytewise; none where the path is no folder. */
  list(path: BytePath): string[] {
    const folder = this.#folder(path);
    if (folder === undefined) return [];
    const seen = new Set<string>();
    const names: string[] = [];
    for (const layer of folder.layers) {
      for (const name of this.#layers[layer]?.namesIn(path) ?? []) {
        if (seen.has(name)) continue;
        seen.add(name);
        if (this.#layers[layer]?.get(childOf(path, name))?.type !== 'whiteout') names.push(name);
      }
    }
    return names.toSorted();
  }

  /** The root, which every layer has something in. */
  #root(): Folder {
    const known = this.#folders.get(ROOT);
    if (known !== undefined) return known;
    const root = { node: BARE_ROOT, layer: 0, layers: [...this.#layers.keys()].toReversed() };
    this.#folders.set(ROOT, root);
    return root;
  }

  #folder(path: BytePath): Folder | undefined {
    if (!this.#folders.has(path)) this.#folders.set(path, this.#walkTo(path));
    return this.#folders.get(path);
  }

  #walkTo(path: BytePath): Folder | undefined {
    let folder = this.#root();
    let at = ROOT;
    for (const name of componentsOf(path)) {
      at = childOf(at, name);
      const step = this.#step(folder, at);
      if (step?.kind !== 'folder') return undefined;
      folder = step.folder;
    }
    return folder;
  }

  #step(parent: Folder, path: BytePath): Step | undefined {
    const known = this.#folders.get(path);
    if (known !== undefined) return { kind: 'folder', folder: known };
    const step = this.#merge(parent.layers, path);
    if (step?.kind === 'folder') this.#folders.set(path, step.folder);
    return step;
  }

  /** Merges what layers (topmost first) say of a path: folders merge, anything else hides what is below it. */
  #merge(layers: readonly number[], path: BytePath): Step | undefined {
    let top: { node: DirectoryEntry; layer: number } | undefined;
    const merged: number[] = [];
    for (const layer of layers) {
      const entry = this.#layers[layer]?.get(path);
      if (entry === undefined) continue;
      if (entry.type !== 'directory') {
        if (top === undefined && entry.type !== 'whiteout')
          return { kind: 'other', found: this.#found(entry, layer) };
        break;
      }
      top ??= { node: entry, layer };
      merged.push(layer);
      if (entry.opaque === true) break;
    }
    return top === undefined ? undefined : { kind: 'folder', folder: { ...top, layers: merged } };
  }

  #found(entry: Exclude<NodeEntry, DirectoryEntry> | HardLinkEntry, layer: number): Found {
    if (entry.type !== 'hardlink') return { node: entry, layer };
    const target: Entry | undefined = this.#layers[layer]?.get(entry.target);
    if (target === undefined || target.type === 'hardlink' || target.type === 'whiteout') {
      throw new Error(`Internal error: the hard link ${entry.path} names nothing in its layer`);
    }
    return { node: target, layer };
  }
}
