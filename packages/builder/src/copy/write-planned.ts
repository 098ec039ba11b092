import { createReadStream } from 'node:fs';
import {
  applyLayer,
  ChainView,
  clampTime,
  compareBytes,
  compareTimes,
  fsPath,
  LayerWriter,
  parentOf,
  ROOT,
  sameAttributes,
  TreeThread,
  type BytePath,
  type Content,
  type DirectoryEntry,
  type Found,
  type HostPath,
  type NodeEntry,
  type WrittenLayer,
} from '@caisson/layer';
import type { Digest } from '@caisson/oci';
import type { Time } from '@caisson/sys';
import type { Destination, Planned } from './destination.ts';

/** How to write what was planned. */
export interface WriteRequest {
  readonly destination: Destination;
  /** The digest of a file of the state before, for one that looks the same as what would be written. */
  readonly digestBefore: (found: Found) => Promise<Digest>;
  /** A new file for the tar. */
  readonly output: HostPath;
  /** An empty folder for the same as a tree, where something will be mounted on it. */
  readonly outputTree: HostPath | undefined;
  /** No time of what is written is later. */
  readonly latest: Time | undefined;
}

/** A file whose bytes were not those that it was looked up with. */
export interface ChangedFile {
  readonly planned: Planned;
  readonly digest: Digest;
}

/** A layer of copied files. */
export interface CopiedLayer extends WrittenLayer {
  readonly changed: readonly ChangedFile[];
}

interface Line {
  readonly planned: Planned | undefined;
  readonly entry: NodeEntry;
  readonly role: 'change' | 'parent';
  /** What this is another name of. */
  readonly linkTo: BytePath | undefined;
}

/**
 * Writes what was planned as a layer: only what is not so already, and the folders above it. The bytes of each file
 * are hashed again as they go into the layer; those that changed since they were looked up are told.
 */
export async function writePlanned(request: WriteRequest): Promise<CopiedLayer> {
  const { output, outputTree } = request;
  const lines = await linesOf(request);
  if (outputTree === undefined) return writeLines(lines, new LayerWriter(output));
  if (!isLarge(lines)) {
    const layer = await writeLines(lines, new LayerWriter(output));
    await applyLayer({
      source: createReadStream(fsPath(output)),
      below: new ChainView([]),
      tree: outputTree,
    });
    return layer;
  }
  const tree = new TreeThread(output, outputTree);
  try {
    const layer = await writeLines(lines, new LayerWriter(output, (end) => tree.written(end)));
    const diffId = await tree.finish(layer.size);
    if (diffId !== layer.diffId) throw new Error('Internal error: a tree of other bytes than the layer has');
    return layer;
  } catch (error) {
    await tree.abandon();
    throw error;
  }
}

/** A thread of its own takes as long to start as some hundred files to write. */
function isLarge(lines: readonly Line[]): boolean {
  const bytes = lines.reduce((sum, { entry }) => sum + (entry.type === 'file' ? entry.size : 0), 0);
  return lines.length > 500 || bytes > 1 << 25;
}

async function writeLines(lines: readonly Line[], writer: LayerWriter): Promise<CopiedLayer> {
  const changed: ChangedFile[] = [];
  const nodes = new Map<BytePath, NodeEntry>();
  try {
    for (const { planned, entry, role, linkTo } of lines) {
      const node = linkTo === undefined ? undefined : nodes.get(linkTo);
      if (linkTo !== undefined && node !== undefined) {
        writer.addHardLink({ type: 'hardlink', path: entry.path, target: linkTo }, node);
        continue;
      }
      nodes.set(entry.path, entry);
      if (entry.type !== 'file') writer.add(entry, role);
      else if (planned?.from !== undefined) {
        const written = writer.addFile(entry, await contentOf(planned));
        if (written.digest !== undefined && written.digest !== planned.from.digest) {
          changed.push({ planned, digest: written.digest });
        }
      }
    }
    return { ...writer.finish(), changed };
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

/** The lines of the layer, in order. */
async function linesOf(request: WriteRequest): Promise<Line[]> {
  const { destination, latest } = request;
  const changes: Planned[] = [];
  const groups = new Map<string, Planned[]>();
  for (const planned of destination.written) {
    if (planned.linkId !== undefined) {
      const group = groups.get(planned.linkId);
      if (group === undefined) groups.set(planned.linkId, [planned]);
      else group.push(planned);
    } else if (!(await isSoAlready(request, planned))) changes.push(planned);
  }
  const linkTargets = new Map<BytePath, BytePath>();
  for (const group of groups.values()) {
    if ((await Promise.all(group.map((planned) => isSoAlready(request, planned)))).every(Boolean)) continue;
    const names = group.map(({ entry }) => entry.path).toSorted(compareBytes);
    for (const name of names.slice(1)) if (names[0] !== undefined) linkTargets.set(name, names[0]);
    changes.push(...group);
  }
  const lines: Line[] = changes.map((planned) => ({
    planned,
    entry: { ...planned.entry, mtime: clampTime(planned.entry.mtime, latest) },
    role: isSameFolder(destination, planned.entry) ? 'parent' : 'change',
    linkTo: linkTargets.get(planned.entry.path),
  }));
  return [...lines, ...parentLines(destination, changes)].toSorted((a, b) =>
    compareBytes(a.entry.path, b.entry.path),
  );
}

/** Whether all that is new of a folder is its time. */
function isSameFolder(destination: Destination, entry: NodeEntry): boolean {
  const before = destination.before(entry.path)?.node;
  return entry.type === 'directory' && before !== undefined && sameAttributes(entry, before);
}

/** The folders above what changed that are as they were. */
function parentLines(destination: Destination, changes: readonly Planned[]): Line[] {
  const present = new Set<BytePath>(changes.map(({ entry }) => entry.path));
  const lines: Line[] = [];
  for (const { entry } of changes) {
    for (let path = parentOf(entry.path); path !== ROOT && !present.has(path); path = parentOf(path)) {
      present.add(path);
      // Not what was planned for it, which is how it is already but for a later time.
      const folder = destination.before(path)?.node;
      if (folder?.type !== 'directory') throw new Error(`Internal error: ${path} is no folder`);
      lines.push({ planned: undefined, entry: asParent(folder, path), role: 'parent', linkTo: undefined });
    }
  }
  return lines;
}

function asParent({ opaque: _not, ...folder }: DirectoryEntry, path: BytePath): DirectoryEntry {
  return { ...folder, path };
}

/** Whether the state before has exactly this at this path. */
async function isSoAlready(
  { destination, digestBefore, latest }: WriteRequest,
  { entry }: Planned,
): Promise<boolean> {
  const found = destination.before(entry.path);
  if (found === undefined || !sameAttributes(entry, found.node)) return false;
  if (compareTimes(clampTime(entry.mtime, latest), found.node.mtime) !== 0) return false;
  if (entry.type !== 'file' || found.node.type !== 'file') return true;
  return entry.digest === (found.node.digest ?? (await digestBefore(found)));
}
