import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { applyLayer } from './apply.ts';
import { fsPath, type BytePath, type HostPath } from './byte-path.ts';
import { sizeOfFiles, type Entry, type NodeEntry } from './entry.ts';
import { parentsOf } from './in-root.ts';
import { LayerWriter } from './layer-writer.ts';
import type { Parts } from './parts.ts';
import { sameEntry } from './same-entry.ts';
import type { Toc } from './toc.ts';
import { ChainView } from './view.ts';

/** Above this, a tree of its own costs little more, and lies as one. */
const MOST_ENTRIES = 1000;
const MOST_OF_BYTES = 0.25;

/**
 * What {@link layerDifference} says, where that is little enough to be worth a second folder.
 * @param base the layer on whose tree it is to lie
 * @param toc the layer that is to be shown
 */
export function treeDelta(base: Toc, toc: Toc): readonly Entry[] | undefined {
  const delta = layerDifference(base, toc);
  return delta === undefined || !isSmall(delta, toc) ? undefined : delta;
}

/**
 * What the tree of a layer lacks to show another layer: what is new or different there, with the folders on the way. All
 * names of a file come together.
 * @returns undefined where it cannot be said so on whatever the two lie on: a path that is gone may show again what lies
 *   below, a folder in the place of something else does not
 */
export function layerDifference(base: Toc, toc: Toc): readonly Entry[] | undefined {
  if (!isPlain(base) || !isPlain(toc)) return undefined;
  if (!base.entries.every((entry) => isFolder(toc.get(entry.path)) === isFolder(entry))) return undefined;
  const names = [linksOf(base), linksOf(toc)];
  const isSame = (entry: Entry): boolean => {
    const there = base.get(entry.path);
    if (there === undefined || !sameEntry(there, entry)) return false;
    if (names.every(({ size }) => size === 0)) return true;
    const [before, now] = names.map((links) => links.get(entry.path)?.join('\n'));
    return before === now;
  };
  const needed = new Set<BytePath>();
  for (const entry of toc.entries) {
    if (isSame(entry)) continue;
    for (const name of names[1]?.get(entry.path) ?? [entry.path]) {
      needed.add(name);
      for (const parent of parentsOf(name)) needed.add(parent);
    }
  }
  return toc.entries.filter(({ path }) => needed.has(path));
}

/**
 * What {@link treeDelta} says, or a little more, for a layer that is much like an earlier one: without the table of contents
 * of the base.
 * @param beyond what the earlier layer has that the base has not, or otherwise
 * @returns undefined where it cannot be said so, or where the whole would have to be asked
 */
export function grownDelta(
  earlier: Toc,
  beyond: readonly BytePath[],
  toc: Toc,
): readonly Entry[] | undefined {
  const since = layerDifference(earlier, toc);
  if (since === undefined) return undefined;
  const needed = new Set(beyond);
  for (const { path } of since) needed.add(path);
  const delta = toc.entries.filter(({ path }) => needed.has(path));
  return isSmall(delta, toc) ? delta : undefined;
}

/** Whether all that a layer says is said by what it has, each path for itself. */
function isPlain({ entries }: Toc): boolean {
  return entries.every(
    (entry) =>
      entry.type !== 'whiteout' &&
      (entry.type !== 'directory' || entry.opaque !== true) &&
      // overlayfs would take it for a whiteout
      (entry.type !== 'char' || entry.major !== 0 || entry.minor !== 0),
  );
}

/** Undefined for what is not there: that is neither a folder nor something else. */
function isFolder(entry: Entry | undefined): boolean | undefined {
  return entry === undefined ? undefined : entry.type === 'directory';
}

/** All names of each file that has several, by each of them. */
function linksOf({ entries }: Toc): ReadonlyMap<BytePath, readonly BytePath[]> {
  const links = new Map<BytePath, BytePath[]>();
  for (const entry of entries) {
    if (entry.type !== 'hardlink') continue;
    const names = links.get(entry.target) ?? [entry.target];
    names.push(entry.path);
    links.set(entry.target, names).set(entry.path, names);
  }
  return links;
}

function isSmall(delta: readonly Entry[], toc: Toc): boolean {
  return delta.length <= MOST_ENTRIES && sizeOfFiles(delta) <= MOST_OF_BYTES * sizeOfFiles(toc.entries);
}

/** What to make a tree of. */
export interface DeltaRequest {
  /** Of {@link treeDelta}. */
  readonly delta: readonly Entry[];
  /** The layer's tar, not compressed: the entries say where in it the bytes of files lie. */
  readonly tar: HostPath;
  /** Where a file may be for the while. */
  readonly scratch: HostPath;
  /** An empty folder. */
  readonly tree: HostPath;
  /** Does work part by part. */
  readonly inTurns: <T>(parts: Parts<T>) => Promise<T>;
  readonly signal: AbortSignal;
}

/**
 * Writes a delta as a tree: as a small layer of its own, which is applied like any other.
 * @returns the size of that layer in bytes
 */
export async function writeTreeDelta({
  delta,
  tar,
  scratch,
  tree,
  inTurns,
  signal,
}: DeltaRequest): Promise<number> {
  const writer = new LayerWriter(scratch);
  let size: number;
  try {
    const nodes = new Map<BytePath, NodeEntry>();
    for (const entry of delta) {
      if (entry.type === 'hardlink') writer.addHardLink(entry, nodeOf(nodes, entry.target));
      else if (entry.type === 'file')
        await inTurns(writer.fileInParts(entry, { kind: 'file', path: tar, offset: offsetOf(entry) }));
      else writer.add(entry);
      if (entry.type !== 'hardlink' && entry.type !== 'whiteout') nodes.set(entry.path, entry);
    }
    ({ size } = writer.finish());
  } catch (error) {
    writer.abandon();
    throw error;
  }
  await applyLayer({ source: createReadStream(fsPath(scratch), { signal }), below: new ChainView([]), tree });
  await rm(fsPath(scratch));
  return size;
}

function nodeOf(nodes: ReadonlyMap<BytePath, NodeEntry>, path: BytePath): NodeEntry {
  const node = nodes.get(path);
  if (node === undefined) throw new Error(`Internal error: a delta without ${path}, which has other names`);
  return node;
}

function offsetOf({ path, offset }: { readonly path: BytePath; readonly offset?: number }): number {
  if (offset === undefined) throw new Error(`Internal error: nobody knows where the bytes of ${path} lie`);
  return offset;
}
