import { EPOCH } from '../entry.ts';
import { LayerError } from '../errors.ts';
import { textOf } from '../byte-path.ts';
import type { Toc } from '../toc.ts';
import { encodeFolder } from './folder-blocks.ts';
import {
  alignUp,
  BLOCK,
  CHUNK_FORMAT,
  encodeChunks,
  encodeDevice,
  encodeHead,
  encodeInode,
  INODES_AT,
  INODE_SIZE,
  LAYOUT,
  SLOT,
} from './format.ts';
import { mapNodes, namesIn, type MapNode } from './map-nodes.ts';
import { blocksOf, placeInodes, type Placed } from './place-inodes.ts';

/** Readers read whole pages, so an image ends with one. */
const BLOCKS_IN_PAGE = 8;
const NOTHING = Buffer.alloc(0);

/**
 * The map of a layer, part by part: a small EROFS image that says where in the layer's tar the bytes of each file lie,
 * so that the two can be mounted together, without anything being unpacked. It is a function of its inputs.
 * @param toc of a layer that is not {@link unmappable}
 * @throws LayerError `unsafe-layer` for a device that overlayfs would take for a whiteout
 */
export function* layerMap(toc: Toc): Generator<Buffer> {
  const { inodes, end, blocks } = placeInodes(mapNodes(toc));
  const firstBlock = alignUp(end, BLOCK) / BLOCK;
  const allBlocks = alignUp(firstBlock + blocks, BLOCKS_IN_PAGE);
  const numbers = new Map(inodes.map(({ node, at }) => [node, at / SLOT]));
  yield encodeHead({
    root: (inodes[0]?.at ?? 0) / SLOT,
    inodes: inodes.length,
    blocks: allBlocks,
    tarBlocks: blocksInTar(inodes),
  });
  const wholeBlocks: Buffer[] = [];
  let done = INODES_AT;
  for (const [index, placed] of inodes.entries()) {
    const content = contentOf(placed.node, numbers);
    const bytes = Buffer.alloc(placed.end - done);
    const at = placed.at - done;
    encodeInode({ ...fieldsOf(placed, firstBlock), serial: index + 1 }, bytes, at);
    placed.xattrs.copy(bytes, at + INODE_SIZE);
    const inlineAt = placed.inlineAt - done;
    if (placed.layout === LAYOUT.chunks) encodeChunks(offsetOf(placed.node), placed.size, bytes, inlineAt);
    if (placed.layout === LAYOUT.inlineTail) content.copy(bytes, inlineAt, blocksOf(placed) * BLOCK);
    yield bytes;
    done = placed.end;
    if (blocksOf(placed) > 0) wholeBlocks.push(inWholeBlocks(content, blocksOf(placed)));
  }
  yield Buffer.alloc(firstBlock * BLOCK - done);
  yield* wholeBlocks;
  yield Buffer.alloc((allBlocks - firstBlock - blocks) * BLOCK);
}

/** Up to where the bytes of files lie in the tar. */
function blocksInTar(inodes: readonly Placed[]): number {
  let last = 1;
  for (const { node, layout, size } of inodes)
    if (layout === LAYOUT.chunks) last = Math.max(last, Math.ceil((offsetOf(node) + size) / BLOCK));
  return last;
}

/** The bytes of a folder or link. */
function contentOf(node: MapNode, numbers: ReadonlyMap<MapNode, number>): Buffer {
  const { entry } = node;
  if (entry.type === 'symlink') return Buffer.from(entry.target, 'latin1');
  if (entry.type !== 'directory') return NOTHING;
  return encodeFolder(
    namesIn(node).map(({ name, node: named }) => ({
      name,
      inode: numbers.get(named) ?? 0,
      type: TYPE[named.entry.type].inFolder,
    })),
  );
}

function inWholeBlocks(content: Buffer, blocks: number): Buffer {
  const whole = Buffer.alloc(blocks * BLOCK);
  content.copy(whole);
  return whole;
}

const TYPE = {
  file: { bits: 0o100000, inFolder: 1 },
  directory: { bits: 0o040000, inFolder: 2 },
  char: { bits: 0o020000, inFolder: 3 },
  block: { bits: 0o060000, inFolder: 4 },
  fifo: { bits: 0o010000, inFolder: 5 },
  symlink: { bits: 0o120000, inFolder: 7 },
  /** What overlayfs takes for one: the device 0:0. */
  whiteout: { bits: 0o020000, inFolder: 3 },
} as const;

const NO_ATTRIBUTES = { mode: 0, uid: 0, gid: 0, mtime: EPOCH };
/** Whatever a layer says, as no other file system keeps a mode for them. */
const SYMLINK_MODE = 0o777;

function fieldsOf({ node, layout, size, xattrs, firstBlock }: Placed, blocksAt: number) {
  const { entry, links } = node;
  const { mode, uid, gid, mtime } = entry.type === 'whiteout' ? NO_ATTRIBUTES : entry;
  const hasBlocks = blocksOf({ layout, size }) > 0;
  const data = layout === LAYOUT.chunks ? CHUNK_FORMAT : hasBlocks ? blocksAt + firstBlock : deviceOf(node);
  return {
    layout,
    size,
    data,
    xattrSize: xattrs.length,
    mode: TYPE[entry.type].bits | (entry.type === 'symlink' ? SYMLINK_MODE : mode),
    uid,
    gid,
    mtime,
    links,
  };
}

function deviceOf({ entry }: MapNode): number {
  if (entry.type !== 'char' && entry.type !== 'block') return 0;
  const device = encodeDevice(entry);
  if (entry.type === 'block' || device !== 0) return device;
  const path = textOf(entry.path);
  const message = `the layer holds the device 0:0 at ${path}, which would hide a file`;
  throw new LayerError('unsafe-layer', message, { path });
}

function offsetOf({ entry }: MapNode): number {
  if (entry.type !== 'file' || entry.offset === undefined)
    throw new Error(`Internal error: the bytes of ${entry.path} are not in the layer`);
  return entry.offset;
}
