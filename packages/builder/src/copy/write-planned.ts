import { createReadStream } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import {
  applyLayer,
  ChainView,
  EarlierLayer,
  fsPath,
  grownDelta,
  LayerError,
  LayerWriter,
  PatchedTar,
  textOf,
  Toc,
  tocPieces,
  treeDelta,
  TreeThread,
  writeTreeDelta,
  type BytePath,
  type Content,
  type DigestThread,
  type Entry,
  type HostPath,
  type LayerWriterOptions,
  type Parts,
  type TarOfLayer,
  type WrittenLayer,
} from '@caisson/layer';
import type { Digest } from '@caisson/oci';
import { unlessAborted } from '@caisson/runtime';
import { Slices } from '../slices.ts';
import { FileProgress, type FilesSoFar } from '../file-progress.ts';
import type { KeptEntry } from './kept-folders.ts';
import type { Planned } from './destination.ts';
import type { PlannedLine } from './planned-lines.ts';

/** How to write what was planned. */
export interface WriteRequest {
  readonly lines: readonly PlannedLine[];
  /** A new file for the tar. */
  readonly output: HostPath;
  /** A new file for its table of contents. */
  readonly tocOutput: HostPath;
  /** Where the same is written as a tree, where something will be mounted on it and takes a tree. */
  readonly tree: TreeRequest | undefined;
  /** How the folders look that are copied, by where they are put. */
  readonly looks?: ReadonlyMap<BytePath, string> | undefined;
  /** A layer of which the bytes are taken that are the same; it has all that is kept. */
  readonly earlier: StoredLayer | undefined;
  /** Told how far it is when it takes long. */
  readonly onProgress?: ((soFar: FilesSoFar) => void) | undefined;
  /** Where the layer may be written over one that nothing needs any more, whose file is moved to `output`. */
  readonly over?: { readonly old: TarOfLayer; readonly digests: DigestThread } | undefined;
  /** Ends the writing between two files. */
  readonly signal: AbortSignal;
}

/** How to write the tree of a layer. */
export interface TreeRequest {
  /** An empty folder. */
  readonly folder: HostPath;
  /** A layer that it may lie on: then only what is different is written. */
  readonly base: DeltaBase | undefined;
  /** Whether it is written where it cannot lie on that. */
  readonly isWholeWanted: boolean;
  /** Where a file may be for the while. */
  readonly scratch: HostPath;
}

/** A layer that a tree may lie on. */
export interface DeltaBase {
  /** What it is called. */
  readonly form: string;
  /** Reads its table of contents; undefined where there is none. */
  readonly toc: () => Promise<Toc | undefined>;
}

/** A layer that lies as a tar which is not compressed. */
export interface StoredLayer {
  readonly diffId: Digest;
  readonly toc: Toc;
  readonly tar: HostPath;
}

/** A file whose bytes were not those that it was looked up with. */
export interface ChangedFile {
  readonly planned: Planned;
  readonly digest: Digest;
}

/** A layer of copied files. */
export interface CopiedLayer extends WrittenLayer {
  readonly changed: readonly ChangedFile[];
  readonly tree: WrittenTree;
}

/** What was written of a tree: of a delta to the base, how many bytes it takes. */
export type WrittenTree =
  | { readonly kind: 'none' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'delta'; readonly size: number };

/** A layer of which only the tar is there. */
interface TarAlone extends Omit<CopiedLayer, 'tree'> {
  /** What a tree that lies on the base holds; undefined where there can be none. */
  readonly delta: readonly Entry[] | undefined;
}

/**
 * Writes what was planned as a layer. The bytes of each file are hashed again as they go into the layer; those that
 * changed since they were looked up are told. Bytes that come from an earlier layer are not hashed file by file: the digest of
 * that layer is checked.
 * @throws LayerError `damaged-layer` where the earlier layer is not what its digest says
 */
export async function writePlanned(request: WriteRequest): Promise<CopiedLayer> {
  const { lines, tree } = request;
  if (tree?.isWholeWanted === true && isLarge(lines) && !(await mayBeDelta(tree.base, lines)))
    return { ...(await writeBoth(request, tree.folder)), tree: { kind: 'whole' } };
  const { delta, ...layer } = (await writeOver(request)) ?? (await write(request));
  return {
    ...layer,
    tree: tree === undefined ? { kind: 'none' } : await writeTree(delta, request, tree),
  };
}

async function mayBeDelta(base: DeltaBase | undefined, lines: readonly PlannedLine[]): Promise<boolean> {
  const toc = await base?.toc();
  return toc !== undefined && treeDelta(toc, new Toc(lines.map(({ entry }) => entry))) !== undefined;
}

/** Writes the tar. */
async function write(request: WriteRequest, options: LayerWriterOptions = {}): Promise<TarAlone> {
  using earlier = openEarlier(request.earlier);
  return await writeLines(request, new LayerWriter(request.output, { ...options, earlier }));
}

/** Writes the tar over an old one; undefined where there is none. */
async function writeOver(request: WriteRequest): Promise<TarAlone | undefined> {
  const { output, earlier, over } = request;
  if (over === undefined || earlier === undefined) return undefined;
  using patched = PatchedTar.open({ ...over, latest: earlier });
  if (patched === undefined) return undefined;
  const layer = await writeLines(request, new LayerWriter(patched));
  await rename(fsPath(over.old.tar), fsPath(output));
  return layer;
}

async function writeTree(
  delta: readonly Entry[] | undefined,
  { output: tar, signal }: WriteRequest,
  { folder, scratch, isWholeWanted }: TreeRequest,
): Promise<WrittenTree> {
  if (delta !== undefined) {
    const slices = new Slices(signal);
    const inTurns = <T>(parts: Parts<T>): Promise<T> => slices.run(parts);
    const size = await writeTreeDelta({ delta, tar, scratch, tree: folder, inTurns, signal });
    return { kind: 'delta', size };
  }
  if (!isWholeWanted) return { kind: 'none' };
  await applyLayer({
    source: createReadStream(fsPath(tar), { signal }),
    below: new ChainView([]),
    tree: folder,
  });
  return { kind: 'whole' };
}

/** The tree is made by a thread that follows the tar. */
async function writeBoth(request: WriteRequest, folder: HostPath): Promise<TarAlone> {
  const tree = new TreeThread(request.output, folder);
  try {
    const layer = await write({ ...request, tree: undefined }, { onFlush: (end) => tree.written(end) });
    const diffId = await tree.finish(layer.size);
    if (diffId !== layer.diffId) throw new Error('Internal error: a tree of other bytes than the layer has');
    return layer;
  } catch (error) {
    await tree.abandon();
    throw error;
  }
}

function openEarlier(layer: StoredLayer | undefined): EarlierLayer | undefined {
  return layer === undefined ? undefined : EarlierLayer.open(layer.toc, layer.tar, layer.diffId);
}

/** A thread of its own takes as long to start as some hundred files to write. */
function isLarge(lines: readonly PlannedLine[]): boolean {
  return lines.length > 500 || sizeOf(lines) > 1 << 25;
}

function sizeOf(lines: readonly PlannedLine[]): number {
  return lines.reduce((sum, line) => sum + bytesOf(line), 0);
}

/** Whether it is one, or another name of one. */
function isFile({ kind, entry }: PlannedLine): boolean {
  return kind === 'kept' ? entry.type === 'file' : kind !== 'other';
}

function bytesOf({ kind, entry }: PlannedLine): number {
  return kind !== 'other' && entry.type === 'file' ? entry.size : 0;
}

/** When so much of an earlier layer waits, it is copied, in bytes: what is less is copied in one go. */
const AT_ONCE = 16 << 20;

async function writeLines(request: WriteRequest, writer: LayerWriter): Promise<TarAlone> {
  try {
    const slices = new Slices(request.signal);
    const changed = await addLines(request, writer, slices);
    const toc = await slices.run(writer.endInParts());
    const looks = changed.length === 0 ? request.looks : undefined;
    return { ...(await finish({ ...request, looks }, writer, toc)), changed };
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

/** @returns the files whose bytes were not those that they were looked up with */
async function addLines(
  { lines, onProgress = () => {} }: WriteRequest,
  writer: LayerWriter,
  slices: Slices,
): Promise<readonly ChangedFile[]> {
  const changed: ChangedFile[] = [];
  const allFiles = lines.filter(isFile).length;
  using progress = new FileProgress(onProgress).begin(allFiles, sizeOf(lines));
  let [files, bytes] = [0, 0];
  for (const line of lines) {
    if (slices.isOver) {
      progress.advance(files, bytes);
      await slices.next();
    }
    if (isFile(line)) files++;
    bytes += bytesOf(line);
    if (line.kind === 'link') writer.addHardLink(line.entry, line.node);
    else if (line.kind === 'other') writer.add(line.entry, line.role);
    else if (line.kind === 'kept') addKept(line.entry, writer);
    else if (!writer.addEarlierFile(line.entry)) {
      const { entry, planned } = line;
      const { digest } = await slices.run(writer.fileInParts(entry, await contentOf(planned)));
      if (digest !== undefined && digest !== entry.digest) changed.push({ planned, digest });
    }
    if (writer.waiting > AT_ONCE) await slices.run(writer.copyWaiting());
  }
  progress.advance(allFiles, bytes);
  return changed;
}

function addKept(entry: KeptEntry, writer: LayerWriter): void {
  if (entry.type !== 'file') writer.add(entry);
  else if (!writer.addEarlierFile(entry))
    throw new LayerError('damaged-layer', `/${textOf(entry.path)} is not where the earlier layer has it`);
}

/** What does not need the digest of the tar is done while a thread takes that. */
async function finish(
  { tree, earlier, looks, tocOutput, signal }: WriteRequest,
  writer: LayerWriter,
  toc: Toc,
): Promise<Omit<TarAlone, 'changed'>> {
  const digested = unlessAborted(writer.finished(), signal);
  digested.catch(() => {}); // it is told below
  const base = tree?.base;
  const delta = base && (await deltaTo(base, earlier, toc));
  const beyond = base && delta && { base: base.form, paths: delta.map(({ path }) => path) };
  const written = writeFile(fsPath(tocOutput), tocPieces(toc, { looks, beyond }), {
    flag: 'wx',
    mode: 0o600,
  });
  await Promise.allSettled([digested, written]); // nothing is written any more when it has failed
  await written;
  return { ...(await digested), delta };
}

/** What a tree that lies on a base holds. What the earlier layer has beyond it is known, mostly, and need not be found again. */
async function deltaTo(
  base: DeltaBase,
  earlier: StoredLayer | undefined,
  toc: Toc,
): Promise<readonly Entry[] | undefined> {
  const beyond = earlier?.toc.notes.beyond;
  if (earlier !== undefined && beyond?.base === base.form) {
    const grown = grownDelta(earlier.toc, beyond.paths, toc);
    if (grown !== undefined) return grown;
  }
  const baseToc = await base.toc();
  return baseToc && treeDelta(baseToc, toc);
}

function contentOf({ from }: Planned): Promise<Content> {
  if (from?.kind === 'bytes') return Promise.resolve({ kind: 'bytes', bytes: from.bytes });
  if (from?.kind === 'file') return Promise.resolve({ kind: 'file', path: from.path });
  if (from === undefined) throw new Error('Internal error: a file without content');
  return from.tree.content(from.node);
}
