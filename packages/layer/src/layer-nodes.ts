import { baseName, childOf, componentsOf, parentOf, ROOT, textOf, type BytePath } from './byte-path.ts';
import { EPOCH, type DirectoryEntry, type Entry, type HardLinkEntry, type NodeEntry } from './entry.ts';
import { LayerError } from './errors.ts';
import { resolveInRoot, type Kind, type Resolved } from './in-root.ts';
import type { TreeWriter } from './tree-writer.ts';
import type { ChainView } from './view.ts';

type LayerNode = NodeEntry | HardLinkEntry;

/**
 * A layer while it is read: what it has at each path so far, mirrored into a tree where one is written. It knows which
 * of its paths are folders and which are links, so nothing is ever written through a link; parents are looked for in
 * this layer alone, never through a link of a layer below.
 */
export class LayerNodes {
  readonly #below: ChainView;
  readonly #tree: TreeWriter | undefined;
  readonly #nodes = new Map<BytePath, LayerNode>();
  readonly #children = new Map<BytePath, Set<BytePath>>();
  /** The other names of each node that has some. */
  readonly #links = new Map<BytePath, Set<BytePath>>();
  /** Folders that are only on the way to something: their attributes come from below. */
  readonly #implicit = new Set<BytePath>();
  readonly #whiteouts = new Set<BytePath>();
  readonly #opaque = new Set<BytePath>();
  /** Where folders lead, as the archive spells them. Forgotten whenever something other than a folder is put down. */
  readonly #resolved = new Map<BytePath, BytePath>();

  constructor(below: ChainView, tree: TreeWriter | undefined) {
    this.#below = below;
    this.#tree = tree;
  }

  get(path: BytePath): LayerNode | undefined {
    return this.#nodes.get(path);
  }

  /** Where a name of the archive lies: its folder followed through this layer's links and made where it is missing. */
  place(name: BytePath): BytePath {
    const written = parentOf(name);
    let folder = this.#resolved.get(written);
    if (folder === undefined) {
      folder = this.#openFolder(written);
      this.#resolved.set(written, folder);
    }
    return childOf(folder, baseName(name));
  }

  /** As {@link place}, but nothing is made: for names that only say what is gone. */
  locate(name: BytePath): BytePath {
    const resolved = this.#resolve(parentOf(name));
    return childOf(resolved.ok ? resolved.path : parentOf(name), baseName(name));
  }

  #openFolder(path: BytePath): BytePath {
    const resolved = this.#resolve(path);
    if (!resolved.ok) {
      this.remove(resolved.path); // a later entry below a file replaces the file by a folder
      return this.#openFolder(path);
    }
    if (resolved.kind?.type === 'other') this.remove(resolved.path);
    this.ensureFolder(resolved.path);
    return resolved.path;
  }

  #resolve(path: BytePath): Exclude<Resolved, { reason: 'too-many-symlinks' }> {
    const resolved = resolveInRoot((at) => this.#kind(at), path, 'follow');
    if (resolved.ok || resolved.reason === 'not-a-directory') return resolved;
    throw new LayerError('unsafe-layer', `the layer leads ${textOf(path)} round in a circle of symlinks`);
  }

  #kind(path: BytePath): Kind | undefined {
    const node = this.#nodes.get(path);
    switch (node?.type) {
      case undefined:
        return undefined;
      case 'directory':
        return { type: 'directory' };
      case 'symlink':
        return { type: 'symlink', target: node.target };
      case 'hardlink':
        return this.#kind(node.target);
      case 'file':
      case 'char':
      case 'block':
      case 'fifo':
        return { type: 'other' };
    }
  }

  /** The folders that were only made on the way to something. */
  get implied(): ReadonlySet<BytePath> {
    return this.#implicit;
  }

  /** Makes a folder, and those on the way to it, where this layer has none. */
  ensureFolder(path: BytePath): void {
    let at = ROOT;
    for (const name of componentsOf(path)) {
      at = childOf(at, name);
      if (this.#nodes.has(at)) continue;
      this.#set({ type: 'directory', path: at, mode: 0o755, uid: 0, gid: 0, mtime: EPOCH });
      this.#implicit.add(at);
      this.#tree?.makeDirectory(at);
    }
  }

  /** Puts a folder down. One that is there takes the new attributes and keeps what is in it. */
  putFolder(entry: DirectoryEntry): void {
    const existing = this.#nodes.get(entry.path);
    if (existing !== undefined && existing.type !== 'directory') this.remove(entry.path);
    if (existing?.type !== 'directory') this.#tree?.makeDirectory(entry.path);
    this.#set(entry);
    this.#implicit.delete(entry.path);
  }

  /** Puts down anything but a folder. What was there must have been removed. */
  put(entry: LayerNode): void {
    this.#set(entry);
    this.#implicit.delete(entry.path);
    if (entry.type === 'hardlink') {
      const names = this.#links.get(entry.target) ?? new Set();
      this.#links.set(entry.target, names.add(entry.path));
    }
    if (entry.type === 'symlink' || entry.type === 'hardlink') this.#resolved.clear();
  }

  /** Removes what this layer has at a path, and below it. */
  remove(path: BytePath): void {
    const node = this.#nodes.get(path);
    if (node === undefined) return;
    if (path === ROOT)
      throw new LayerError('unsafe-layer', 'the layer replaces the root folder by something else');
    this.#resolved.clear();
    this.#forgetAll(path);
    this.#tree?.remove(path);
  }

  #set(entry: LayerNode): void {
    this.#nodes.set(entry.path, entry);
    const parent = parentOf(entry.path);
    const children = this.#children.get(parent);
    if (children === undefined) this.#children.set(parent, new Set([entry.path]));
    else children.add(entry.path);
  }

  #forgetAll(path: BytePath): void {
    const pending = [path];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      pending.push(...(this.#children.get(at) ?? []));
      this.#children.delete(at);
      this.#forget(at);
    }
    this.#children.get(parentOf(path))?.delete(path);
  }

  #forget(path: BytePath): void {
    const node = this.#nodes.get(path);
    this.#nodes.delete(path);
    this.#implicit.delete(path);
    if (node === undefined) return;
    if (node.type === 'hardlink') {
      this.#links.get(node.target)?.delete(path);
      return;
    }
    const [heir, ...others] = this.#links.get(path) ?? [];
    this.#links.delete(path);
    if (heir === undefined) return;
    this.#nodes.set(heir, { ...node, path: heir });
    if (others.length > 0) this.#links.set(heir, new Set(others));
    for (const other of others) this.#nodes.set(other, { type: 'hardlink', path: other, target: heir });
  }

  /** Says that a path of the layers below is gone. It never takes away what this layer itself has there. */
  whiteout(path: BytePath): void {
    this.#whiteouts.add(path);
  }

  /** Says that all that the layers below have in a folder is gone. */
  makeOpaque(folder: BytePath): void {
    this.#opaque.add(folder);
  }

  /** Ends the layer: what is to be known of it, bytewise by path, the tree complete. */
  finish(): Entry[] {
    for (const path of this.#whiteouts) {
      // `.wh.d` beside `d/`: the folder is a new one.
      if (this.#nodes.get(path)?.type === 'directory') this.#opaque.add(path);
    }
    for (const path of this.#opaque) {
      if (this.#below.lookup(path)?.node.type === 'directory' && !this.#isCutOff(path))
        this.ensureFolder(path);
    }
    const gone = [...this.#whiteouts].filter((path) => this.#hidesSomething(path));
    for (const path of gone) {
      this.ensureFolder(parentOf(path));
      this.#tree?.makeWhiteout(path);
    }
    const entries: Entry[] = gone.map((path) => ({ type: 'whiteout', path }));
    const folders: DirectoryEntry[] = [];
    for (const node of this.#nodes.values()) {
      const entry = node.type === 'directory' ? this.#finalFolder(node) : node;
      entries.push(entry);
      if (entry.type === 'directory') folders.push(entry);
    }
    for (const { path, opaque } of folders)
      if (opaque === true && this.#tree?.makeOpaque(path) === false) this.#hideAll(path);
    // Deepest first: what is done in a folder changes its time.
    for (const folder of folders.toSorted((a, b) => b.path.length - a.path.length)) {
      this.#tree?.finishDirectory(folder);
    }
    this.#tree?.finishRoot();
    return entries;
  }

  /** Hides what the layers below have in a folder, one by one, in the tree alone. */
  #hideAll(folder: BytePath): void {
    for (const name of this.#below.list(folder)) {
      const path = childOf(folder, name);
      const node = this.#nodes.get(path);
      const isMerged = this.#below.lookup(path)?.node.type === 'directory';
      if (node === undefined) this.#tree?.makeWhiteout(path);
      else if (node.type === 'directory' && isMerged) this.#hideAll(path);
    }
  }

  /** Whether a whiteout hides anything: one of nothing would show as a broken device in an overlay. */
  #hidesSomething(path: BytePath): boolean {
    if (this.#nodes.has(path)) return false;
    if (this.#below.lookup(path) === undefined) return false;
    return !this.#isCutOff(path);
  }

  /** Whether the layers below do not show through at a path, because of a folder above it in this layer. */
  #isCutOff(path: BytePath): boolean {
    let at = ROOT;
    if (this.#opaque.has(at)) return true;
    for (const name of componentsOf(parentOf(path))) {
      at = childOf(at, name);
      const node = this.#nodes.get(at);
      if (this.#opaque.has(at) || (node !== undefined && node.type !== 'directory')) return true;
    }
    return false;
  }

  #finalFolder(node: DirectoryEntry): DirectoryEntry {
    const cutOff = this.#isCutOff(node.path);
    const below = cutOff ? undefined : this.#below.lookup(node.path)?.node;
    const showsThrough = below?.type === 'directory';
    const isOpaque = this.#opaque.has(node.path) && showsThrough;
    // An opaque folder is the one of below, emptied; one that stands beside its own whiteout is new.
    const isSame = showsThrough && !this.#whiteouts.has(node.path);
    const { mode, uid, gid, mtime, xattrs, path } =
      this.#implicit.has(node.path) && isSame ? { ...below, path: node.path } : node;
    return {
      type: 'directory',
      path,
      mode,
      uid,
      gid,
      mtime,
      ...(xattrs === undefined ? {} : { xattrs }),
      ...(isOpaque ? { opaque: true } : {}),
    };
  }
}
