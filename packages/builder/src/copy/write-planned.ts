import { createReadStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import {
  applyLayer,
  ChainView,
  EarlierLayer,
  fsPath,
  LayerWriter,
  PatchedTar,
  Toc,
  treeDelta,
  TreeThread,
  writeTreeDelta,
  type Content,
  type Entry,
  type HostPath,
  type LayerWriterOptions,
  type Parts,
  type TarDigests,
  type TarOfLayer,
  type WrittenLayer,
} from '@caisson/layer';
import type { Digest } from '@caisson/oci';
import { Slices } from '../slices.ts';
import { FileProgress, type FilesSoFar } from '../file-progress.ts';
import type { Planned } from './destination.ts';
import type { PlannedLine } from './planned-lines.ts';

/** How to write what was planned. */
export interface WriteRequest {
  readonly lines: readonly PlannedLine[];
  /** A new file for the tar. */
  readonly output: HostPath;
  /** Where the same is written as a tree, where something will be mounted on it and takes a tree. */
  readonly tree: TreeRequest | undefined;
  /** A layer of which the bytes are taken that are the same. */
  readonly earlier: StoredLayer | undefined;
  /** Told how far it is when it takes long. */
  readonly onProgress?: ((soFar: FilesSoFar) => void) | undefined;
  /** A tar that nothing needs any more: it may be written over, and moved to `output`. */
  readonly old?: TarOfLayer | undefined;
  /** Ends the writing between two files. */
  readonly signal: AbortSignal;
}

/** How to write the tree of a layer. */
export interface TreeRequest {
  /** An empty folder. */
  readonly folder: HostPath;
  /** A layer that it may lie on: then only what is different is written. */
  readonly base: Toc | undefined;
  /** Whether it is written where it cannot lie on that. */
  readonly isWholeWanted: boolean;
  /** Where a file may be for the while. */
  readonly scratch: HostPath;
}

/** A layer that lies as a tar which is not compressed. */
export interface StoredLayer {
  readonly diffId: Digest;
  readonly digests?: TarDigests | undefined;
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
  /** As far as they were taken on the way. */
  readonly digests?: TarDigests | undefined;
}

/** What was written of a tree: of a delta to the base, how many bytes it takes. */
export type WrittenTree =
  | { readonly kind: 'none' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'delta'; readonly size: number };

/** A layer of which only the tar is there. */
type WrittenTar = Omit<CopiedLayer, 'tree'>;

/**
 * Writes what was planned as a layer. The bytes of each file are hashed again as they go into the layer; those that
 * changed since they were looked up are told. Bytes of an earlier layer are those that were looked up: it says their
 * digests, and its own is checked.
 * @throws LayerError `damaged-layer` where the earlier layer is not what its digest says
 */
export async function writePlanned(request: WriteRequest): Promise<CopiedLayer> {
  const { lines, tree } = request;
  const planned = tree?.base && treeDelta(tree.base, new Toc(lines.map(({ entry }) => entry)));
  if (planned === undefined && tree?.isWholeWanted === true && isLarge(lines))
    return { ...(await writeBoth(request, tree.folder)), tree: { kind: 'whole' } };
  const layer = (await writeOver(request)) ?? (await write(request));
  return {
    ...layer,
    tree: tree === undefined ? { kind: 'none' } : await writeTree(layer, planned, request, tree),
  };
}

/** Writes the tar. */
async function write(request: WriteRequest, options: LayerWriterOptions = {}): Promise<WrittenTar> {
  using earlier = openEarlier(request.earlier);
  return await writeLines(request, new LayerWriter(request.output, { ...options, earlier }));
}

/** Writes the tar over an old one; undefined where there is none. */
async function writeOver(request: WriteRequest): Promise<WrittenTar | undefined> {
  const { output, earlier, old } = request;
  if (old === undefined || earlier === undefined) return undefined;
  using patched = PatchedTar.open({ old, latest: earlier });
  if (patched === undefined) return undefined;
  const layer = await writeLines(request, new LayerWriter(patched));
  await rename(fsPath(old.tar), fsPath(output));
  return { ...layer, digests: patched.digests };
}

/** @param planned what a delta was to be, before the files were read */
async function writeTree(
  layer: WrittenTar,
  planned: readonly Entry[] | undefined,
  { output: tar, signal }: WriteRequest,
  { base, folder, scratch, isWholeWanted }: TreeRequest,
): Promise<WrittenTree> {
  const slices = new Slices(signal);
  const inTurns = <T>(parts: Parts<T>): Promise<T> => slices.run(parts);
  if (base !== undefined && planned !== undefined) {
    const delta = layer.changed.length === 0 ? asWritten(planned, layer.toc) : treeDelta(base, layer.toc);
    if (delta !== undefined)
      return {
        kind: 'delta',
        size: await writeTreeDelta({ delta, tar, scratch, tree: folder, inTurns, signal }),
      };
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
async function writeBoth(request: WriteRequest, folder: HostPath): Promise<WrittenTar> {
  const tree = new TreeThread(request.output, folder);
  try {
    const layer = await write(request, { onFlush: (end) => tree.written(end) });
    const diffId = await tree.finish(layer.size);
    if (diffId !== layer.diffId) throw new Error('Internal error: a tree of other bytes than the layer has');
    return layer;
  } catch (error) {
    await tree.abandon();
    throw error;
  }
}

/** The same entries, with where the bytes of files lie now. */
function asWritten(planned: readonly Entry[], { entries }: Toc): Entry[] {
  const paths = new Set(planned.map(({ path }) => path));
  return entries.filter(({ path }) => paths.has(path));
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
function isFile({ kind }: PlannedLine): boolean {
  return kind !== 'other';
}

function bytesOf({ kind, entry }: PlannedLine): number {
  return kind === 'file' && entry.type === 'file' ? entry.size : 0;
}

/** When so much of an earlier layer waits, it is copied, in bytes: what is less is copied in one go. */
const AT_ONCE = 16 << 20;

async function writeLines(
  { lines, signal, onProgress = () => {} }: WriteRequest,
  writer: LayerWriter,
): Promise<WrittenTar> {
  const changed: ChangedFile[] = [];
  const slices = new Slices(signal);
  const allFiles = lines.filter(isFile).length;
  using progress = new FileProgress(onProgress).begin(allFiles, sizeOf(lines));
  let [files, bytes] = [0, 0];
  try {
    for (const line of lines) {
      if (slices.isOver) {
        progress.advance(files, bytes);
        await slices.next();
      }
      if (isFile(line)) files++;
      bytes += bytesOf(line);
      if (line.kind === 'link') writer.addHardLink(line.entry, line.node);
      else if (line.kind === 'other') writer.add(line.entry, line.role);
      else if (!writer.addEarlierFile(line.entry)) {
        const { entry, planned } = line;
        const { digest } = await slices.run(writer.fileInParts(entry, await contentOf(planned)));
        if (digest !== undefined && digest !== entry.digest) changed.push({ planned, digest });
      }
      if (writer.waiting > AT_ONCE) await slices.run(writer.copyWaiting());
    }
    progress.advance(allFiles, bytes);
    return { ...(await slices.run(writer.finishInParts())), changed };
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

function contentOf({ from }: Planned): Promise<Content> {
  if (from?.kind === 'bytes') return Promise.resolve({ kind: 'bytes', bytes: from.bytes });
  if (from?.kind === 'file') return Promise.resolve({ kind: 'file', path: from.path });
  if (from === undefined) throw new Error('Internal error: a file without content');
  return from.tree.content(from.node);
}
