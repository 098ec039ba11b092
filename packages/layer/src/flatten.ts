import { baseName, componentsOf, type BytePath, type HostPath } from './byte-path.ts';
import { type DirectoryEntry, type Entry, type NodeEntry } from './entry.ts';
import type { Toc } from './toc.ts';
import { fileIn } from './file-in.ts';
import { TreeWriter } from './tree-writer.ts';
import type { ChainView } from './view.ts';

/** An entry of several layers taken as one, and which of them it is from: an index into them. */
export interface MergedEntry {
  readonly entry: Entry;
  readonly layer: number;
}

interface Folder {
  entry: DirectoryEntry | undefined;
  layer: number;
  /** Whether what is below the layers does not show in it. */
  isOpaque: boolean;
  readonly children: Map<string, Item>;
}

type Item = { readonly kind: 'folder'; readonly folder: Folder } | ({ readonly kind: 'other' } & MergedEntry);

/**
 * What several layers say together, as one layer on the same state. A hard link stands for the file of its own layer.
 * @param below what they lie on: whiteouts of what is not there are left out, since they would show
 * @param layers lowest first
 * @returns parents before children
 */
export function mergeLayers(below: ChainView, layers: readonly Toc[]): MergedEntry[] {
  const root: Folder = { entry: undefined, layer: 0, isOpaque: false, children: new Map() };
  for (const [layer, { entries }] of layers.entries()) {
    for (const entry of entries) put(root, entry, layer);
  }
  const merged: MergedEntry[] = [];
  collect(root, below, merged);
  return merged;
}

function put(root: Folder, entry: Entry, layer: number): void {
  const parent = folderAt(root, entry.path);
  const name = baseName(entry.path);
  const existing = parent.children.get(name);
  if (entry.type !== 'directory') {
    parent.children.set(name, { kind: 'other', entry, layer });
  } else if (existing?.kind === 'folder') {
    enter(existing.folder, entry, layer);
  } else {
    // A folder in the place of something else shows nothing of what that had hidden.
    const isOpaque = entry.opaque === true || existing !== undefined;
    parent.children.set(name, {
      kind: 'folder',
      folder: { entry, layer, isOpaque, children: new Map() },
    });
  }
}

function enter(folder: Folder, entry: DirectoryEntry, layer: number): void {
  folder.entry = entry;
  folder.layer = layer;
  if (entry.opaque !== true) return;
  folder.isOpaque = true;
  folder.children.clear();
}

/** The folder that a path lies in: every layer has the folders on the way to what it says. */
function folderAt(root: Folder, path: BytePath): Folder {
  let folder = root;
  for (const name of componentsOf(path).slice(0, -1)) {
    const item = folder.children.get(name);
    if (item?.kind !== 'folder') throw new Error(`Internal error: a layer without the folder of ${path}`);
    ({ folder } = item);
  }
  return folder;
}

function collect(folder: Folder, below: ChainView | undefined, into: MergedEntry[]): void {
  const { entry, layer, isOpaque } = folder;
  if (entry !== undefined) {
    const { opaque: _said, ...plain } = entry;
    into.push({ entry: isOpaque ? { ...plain, opaque: true } : plain, layer });
  }
  const shown = isOpaque ? undefined : below;
  for (const item of folder.children.values()) {
    if (item.kind === 'folder') collect(item.folder, shown, into);
    else if (item.entry.type !== 'whiteout' || shown?.lookup(item.entry.path) !== undefined)
      into.push({ entry: item.entry, layer: item.layer });
  }
}

/** What to make one tree of. */
export interface FlattenRequest {
  readonly below: ChainView;
  /** Lowest first. */
  readonly layers: readonly { readonly toc: Toc; /** Lowest first. */ readonly trees: readonly HostPath[] }[];
  /** An empty folder. */
  readonly tree: HostPath;
}

/** Makes one tree of those of several layers, to be mounted in their place. Files are copied, so that no two share. */
export function flattenTrees({ below, layers, tree }: FlattenRequest): void {
  const writer = new TreeWriter(tree);
  const tocs = layers.map(({ toc }) => toc);
  const folders: DirectoryEntry[] = [];
  const names = new Map<string, BytePath>();
  for (const { entry, layer } of mergeLayers(below, tocs)) {
    if (entry.type === 'whiteout') writer.makeWhiteout(entry.path);
    else if (entry.type === 'directory') {
      writer.makeDirectory(entry.path);
      folders.push(entry);
    } else {
      const node = nodeOf(entry, tocs[layer]);
      const key = `${layer} ${node.path}`;
      const first = names.get(key);
      if (first !== undefined) writer.makeHardLink(entry.path, first);
      else
        writeNode(writer, { ...node, path: entry.path }, () => fileIn(layers[layer]?.trees ?? [], node.path));
      names.set(key, first ?? entry.path);
    }
  }
  for (const folder of folders.toReversed()) {
    if (folder.opaque === true && !writer.makeOpaque(folder.path))
      throw new Error(
        `Internal error: ${folder.path} cannot be made opaque, and nobody could mount it either`,
      );
    writer.finishDirectory(folder);
  }
  writer.finishRoot();
}

function nodeOf(entry: Exclude<Entry, { type: 'whiteout' | 'directory' }>, toc: Toc | undefined): NodeEntry {
  if (entry.type !== 'hardlink') return entry;
  const node = toc?.get(entry.target);
  if (node === undefined || node.type === 'hardlink' || node.type === 'whiteout')
    throw new Error(`Internal error: the hard link ${entry.path} names nothing in its layer`);
  return node;
}

function writeNode(writer: TreeWriter, node: NodeEntry, from: () => HostPath): void {
  switch (node.type) {
    case 'file':
      return writer.copyFile(node, { path: from() });
    case 'symlink':
      return writer.makeSymlink(node);
    case 'char':
    case 'block':
    case 'fifo':
      return writer.makeSpecialFile(node);
    case 'directory':
      throw new Error(`Internal error: a link to the folder ${node.path}`);
  }
}
