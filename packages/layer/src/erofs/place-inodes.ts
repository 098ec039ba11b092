import type { NodeEntry, WhiteoutEntry, Xattrs } from '../entry.ts';
import { isKeptXattr } from '../xattrs.ts';
import { folderSize } from './folder-blocks.ts';
import {
  alignUp,
  BLOCK,
  CHUNK_INDEX_SIZE,
  chunksOf,
  INODE_SIZE,
  INODES_AT,
  LAYOUT,
  SLOT,
  type Layout,
} from './format.ts';
import { encodeXattrs } from './inline-xattrs.ts';
import { namesIn, type MapNode } from './map-nodes.ts';

/** Where a node lies in the image. Positions are in bytes. */
export interface Placed {
  readonly node: MapNode;
  readonly at: number;
  readonly xattrs: Buffer;
  readonly size: number;
  readonly layout: Layout;
  /** Where what belongs to the inode begins: the tail of its content, or where its chunks lie. */
  readonly inlineAt: number;
  readonly end: number;
  /** The first of its blocks, of those that lie behind all inodes. */
  readonly firstBlock: number;
}

/** Where everything lies. */
export interface Placement {
  readonly inodes: readonly Placed[];
  /** Where the last inode ends, in bytes. */
  readonly end: number;
  /** How many blocks lie behind the inodes. */
  readonly blocks: number;
}

/** Puts inodes one behind the other. */
export function placeInodes(nodes: readonly MapNode[]): Placement {
  const inodes: Placed[] = [];
  let end = INODES_AT;
  let blocks = 0;
  for (const node of nodes) {
    const placed = placeInode(node, alignUp(end, SLOT), blocks);
    inodes.push(placed);
    ({ end } = placed);
    blocks += blocksOf(placed);
  }
  return { inodes, end, blocks };
}

function placeInode(node: MapNode, start: number, firstBlock: number): Placed {
  const xattrs = encodeXattrs(xattrsOf(node.entry));
  const size = sizeOf(node);
  const head = INODE_SIZE + xattrs.length;
  const common = { node, xattrs, size, firstBlock };
  if (node.entry.type === 'file' && size > 0) {
    const inlineAt = alignUp(start + head, CHUNK_INDEX_SIZE);
    const end = inlineAt + chunksOf(size) * CHUNK_INDEX_SIZE;
    return { ...common, at: start, layout: LAYOUT.chunks, inlineAt, end };
  }
  const tail = size % BLOCK;
  const at = tail === 0 ? undefined : placeForTail(start, head, tail);
  if (at === undefined)
    return { ...common, at: start, layout: LAYOUT.plain, inlineAt: start + head, end: start + head };
  return { ...common, at, layout: LAYOUT.inlineTail, inlineAt: at + head, end: at + head + tail };
}

/** The first place for an inode from which the tail behind it lies in one block; undefined where there is none. */
function placeForTail(start: number, head: number, tail: number): number | undefined {
  for (let at = start; at < start + BLOCK; at += SLOT) if (((at + head) % BLOCK) + tail <= BLOCK) return at;
  return undefined;
}

/** How many blocks behind the inodes an inode has. */
export function blocksOf({ layout, size }: Pick<Placed, 'layout' | 'size'>): number {
  switch (layout) {
    case LAYOUT.plain:
      return Math.ceil(size / BLOCK);
    case LAYOUT.inlineTail:
      return Math.floor(size / BLOCK);
    case LAYOUT.chunks:
      return 0;
  }
}

function sizeOf(node: MapNode): number {
  switch (node.entry.type) {
    case 'file':
      return node.entry.size;
    case 'directory':
      return folderSize(namesIn(node));
    case 'symlink':
      return node.entry.target.length;
    case 'char':
    case 'block':
    case 'fifo':
    case 'whiteout':
      return 0;
  }
}

/** What a layer itself brings of overlayfs's own attributes never gets here as such: only what it means does. */
function xattrsOf(entry: NodeEntry | WhiteoutEntry): Xattrs {
  if (entry.type === 'whiteout') return new Map();
  const kept = [...(entry.xattrs ?? [])].filter(([name]) => isKeptXattr(name));
  if (entry.type === 'directory' && entry.opaque === true) kept.push(OPAQUE);
  return new Map(kept);
}

const OPAQUE: [string, Uint8Array] = ['trusted.overlay.opaque', Buffer.from('y')];
