import { baseName, childOf, compareBytes, parentOf, ROOT, type BytePath } from '@caisson/layer';
import type { ContextNode } from './context-node.ts';
import { inodeOf } from './stat-cache.ts';

/** Where {@link SeenNodes} looks at what it has not seen yet. */
export interface NodeLooker {
  /** What is at a path, as far as it is part of the context. */
  readonly look: (path: BytePath) => ContextNode | undefined;
  /** The names in a folder, bytewise. */
  readonly names: (folder: BytePath) => readonly string[];
}

/** What was seen of a folder. */
interface SeenFolder {
  /** By name; undefined for one that is not there. */
  readonly nodes: Map<string, ContextNode | undefined>;
  /** All of them, bytewise, once something asked for all. */
  children: readonly ContextNode[] | undefined;
  /** The names whose nodes may not be among the children as they are now. */
  readonly stale: Set<string>;
}

/** What was looked at in a folder of the host: each thing once, until it is forgotten. */
export class SeenNodes {
  readonly #looker: NodeLooker;
  #top: ContextNode | undefined;
  /** By their paths, as far as something was looked at in them. */
  readonly #folders = new Map<BytePath, SeenFolder>();
  /** The files that have several names: what is done to one of them is done to the others too. */
  readonly #linked = new Set<BytePath>();

  constructor(looker: NodeLooker) {
    this.#looker = looker;
  }

  /** Whether nothing was looked at yet. */
  get isEmpty(): boolean {
    return this.#folders.size === 0;
  }

  node(path: BytePath): ContextNode | undefined {
    if (path === ROOT) return (this.#top ??= this.#looker.look(ROOT));
    return this.#child(parentOf(path), baseName(path));
  }

  /** All that is in a folder, bytewise. */
  children(folder: BytePath): readonly ContextNode[] {
    const seen = this.#folder(folder);
    if (seen.children === undefined) {
      seen.children = this.#looker
        .names(folder)
        .map((name) => this.#child(folder, name))
        .filter((node) => node !== undefined);
    } else if (seen.stale.size > 0) {
      const kept = seen.children.filter(({ entry }) => !seen.stale.has(baseName(entry.path)));
      const looked = [...seen.stale].map((name) => this.#child(folder, name));
      for (const name of seen.stale) if (seen.nodes.get(name) === undefined) seen.nodes.delete(name);
      seen.children = [...kept, ...looked.filter((node) => node !== undefined)].toSorted((a, b) =>
        compareBytes(a.entry.path, b.entry.path),
      );
    }
    seen.stale.clear();
    return seen.children;
  }

  /** What was seen in a folder, by name; undefined where nothing was looked for in it. */
  seenIn(folder: BytePath): ReadonlyMap<string, ContextNode | undefined> | undefined {
    return this.#folders.get(folder)?.nodes;
  }

  /** Whether something in a folder that nothing was looked for in counts all the same: it was not there, or ignored. */
  mayAppearIn(folder: BytePath): boolean {
    if (folder === ROOT) return false;
    const above = this.#folders.get(parentOf(folder));
    if (above === undefined) return this.mayAppearIn(parentOf(folder));
    return above.nodes.get(baseName(folder)) === undefined;
  }

  /** The names of all files that have several, and of those that have got one more. @param inodes of what has changed */
  namesOfLinked(inodes: ReadonlySet<string>): BytePath[] {
    if (inodes.size === 0) return [...this.#linked];
    const nodes = [...this.#folders.values()].flatMap((seen) => [...seen.nodes.values()]);
    const same = nodes.filter((node) => {
      if (node === undefined || node.entry.type === 'directory') return false;
      return node.stat === undefined || inodes.has(inodeOf(node.stat));
    });
    return [...this.#linked, ...same.flatMap((node) => node?.entry.path ?? [])];
  }

  /**
   * Forgets a path and what is below it, and how it and the folders above look.
   * @param onFolder told of each folder, from the path down, in which something was looked at
   */
  forget(path: BytePath, onFolder: (folder: BytePath) => void): void {
    this.#forgetBelow(path, onFolder);
    for (let at = path; at !== ROOT; at = parentOf(at)) {
      this.#linked.delete(at);
      const seen = this.#folders.get(parentOf(at));
      seen?.nodes.delete(baseName(at));
      seen?.stale.add(baseName(at));
    }
    this.#top = undefined;
  }

  clear(): void {
    this.#top = undefined;
    this.#folders.clear();
    this.#linked.clear();
  }

  #forgetBelow(folder: BytePath, onFolder: (folder: BytePath) => void): void {
    const seen = this.#folders.get(folder);
    if (seen === undefined) return;
    this.#folders.delete(folder);
    onFolder(folder);
    // Of a name that is to be looked at again, there may be things seen below it all the same.
    for (const name of [...seen.nodes.keys(), ...seen.stale]) {
      this.#linked.delete(childOf(folder, name));
      this.#forgetBelow(childOf(folder, name), onFolder);
    }
  }

  #child(folder: BytePath, name: string): ContextNode | undefined {
    const { nodes } = this.#folder(folder);
    if (nodes.has(name)) return nodes.get(name);
    const path = childOf(folder, name);
    const node = this.#looker.look(path);
    nodes.set(name, node);
    if (node?.linkId !== undefined) this.#linked.add(path);
    return node;
  }

  #folder(path: BytePath): SeenFolder {
    const seen = this.#folders.get(path) ?? { nodes: new Map(), children: undefined, stale: new Set() };
    this.#folders.set(path, seen);
    return seen;
  }
}
