import { baseName, compareBytes, parentOf, ROOT, type BytePath } from '../byte-path.ts';
import { BARE_ROOT, type NodeEntry, type WhiteoutEntry } from '../entry.ts';
import type { Toc } from '../toc.ts';

/** What becomes one inode of a map. */
export interface MapNode {
  readonly entry: NodeEntry | WhiteoutEntry;
  /** How many names it has; of a folder, `.` and those in its sub-folders are some. */
  links: number;
  /** Of a folder: what is in it, bytewise by name. */
  readonly children: Child[];
  parent: MapNode | undefined;
}

interface Child {
  readonly name: string;
  readonly node: MapNode;
}

/** The inodes that a layer needs, the root first. A hard link is one more name of a node, not one of its own. */
export function mapNodes(toc: Toc): MapNode[] {
  const nodes = new Map<BytePath, MapNode>();
  nodes.set(ROOT, newNode(BARE_ROOT));
  for (const entry of toc.entries) if (entry.type !== 'hardlink') nodes.set(entry.path, newNode(entry));
  // The entries come bytewise by path, so the names in each folder come bytewise too.
  for (const entry of toc.entries) {
    const path = entry.type === 'hardlink' ? entry.target : entry.path;
    const node = nodes.get(path);
    const folder = nodes.get(parentOf(entry.path));
    if (node === undefined || folder?.entry.type !== 'directory')
      throw new Error(`Internal error: a layer without what ${entry.path} needs`);
    folder.children.push({ name: baseName(entry.path), node });
    node.links++;
    if (node.entry.type !== 'directory') continue;
    node.parent = folder;
    folder.links++;
  }
  return [...nodes.values()];
}

/** The names in a folder as EROFS wants them: bytewise, with those of the folder itself and of the one above. */
export function namesIn(node: MapNode): Child[] {
  const names = [{ name: '.', node }, { name: '..', node: node.parent ?? node }, ...node.children];
  return names.toSorted((a, b) => compareBytes(a.name, b.name));
}

function newNode(entry: NodeEntry | WhiteoutEntry): MapNode {
  // A folder's own `.` is one of its names, and the root is its own parent.
  const ownLinks = entry.type !== 'directory' ? 0 : entry.path === ROOT ? 2 : 1;
  return { entry, links: ownLinks, children: [], parent: undefined };
}
