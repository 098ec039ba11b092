import { lstatSync, readdirSync, type BigIntStats } from 'node:fs';
import { setTimes, type Time } from '@caisson/sys';
import {
  childOf,
  compareBytes,
  fsPath,
  inFolder,
  parentOf,
  ROOT,
  type BytePath,
  type HostPath,
} from './byte-path.ts';
import { clampTime, type DirectoryEntry, type Entry, type NodeEntry } from './entry.ts';
import { LayerWriter, type WrittenLayer } from './layer-writer.ts';
import { tarName } from './tar-fields.ts';
import { nodeEntry } from './node-entry.ts';
import { sameAttributes, sameBytes } from './same-file.ts';
import { readUpperXattrs, readXattrs } from './xattrs.ts';

/** What a step left behind. */
export interface DiffRequest {
  /** The upper folder of the overlay that the step ran on. Nothing may write to it any more. */
  readonly upper: HostPath;
  /** The layers below, mounted; undefined where there are none. */
  readonly before: HostPath | undefined;
  /** Where to write the tar; a new file. */
  readonly output: HostPath;
  /** No time in the layer is later. Files of the upper folder that are get this time, so that the two stay equal. */
  readonly latest?: Time;
  /** Told how many bytes the files have together, before they are read. */
  readonly onSize?: (bytes: number) => void;
}

/**
 * Makes a layer of what changed: a function of the files before and after, however they were changed. A file that was
 * copied up but is as it was is no entry; what is gone is a whiteout each; a folder is an entry where it changed or
 * where something in it did.
 * @throws LayerError `unsafe-layer` for a file whose name starts with `.wh.`
 */
export function diffLayer(request: DiffRequest): WrittenLayer {
  const changes = new UpperWalk(request).collect();
  const size = sizeOf(changes);
  request.onSize?.(size);
  const writer = new LayerWriter(request.output, { size });
  try {
    for (const { entry, role, at, node } of changes) {
      if (entry.type === 'file') writer.addFile(entry, { kind: 'file', path: at });
      else if (entry.type !== 'hardlink') writer.add(entry, role);
      else if (node !== undefined) writer.addHardLink(entry, node);
    }
    return writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

function sizeOf(changes: readonly Change[]): number {
  return changes.reduce((sum, { entry }) => sum + (entry.type === 'file' ? entry.size : 0), 0);
}

interface Change {
  readonly entry: Entry;
  readonly role: 'change' | 'parent';
  /** Where it lies in the upper folder. */
  readonly at: HostPath;
  /** For a hard link: what it is another name of. */
  readonly node?: NodeEntry;
}

interface Folder {
  readonly entry: DirectoryEntry;
  readonly role: 'change' | 'parent';
  isNeeded: boolean;
}

/** Names of one file in the upper folder. */
interface LinkGroup {
  readonly nodes: NodeEntry[];
  /** The files of the layers below with these names; undefined for none. */
  readonly inodesBefore: Set<bigint | undefined>;
  /** How many names the file below has. */
  namesBefore: number;
  isChanged: boolean;
}

class UpperWalk {
  readonly #upper: HostPath;
  readonly #before: HostPath | undefined;
  readonly #latest: Time | undefined;
  readonly #changes: Change[] = [];
  readonly #folders = new Map<BytePath, Folder>();
  readonly #groups = new Map<bigint, LinkGroup>();

  constructor({ upper, before, latest }: DiffRequest) {
    this.#upper = upper;
    this.#before = before;
    this.#latest = latest;
  }

  collect(): Change[] {
    this.#walk(ROOT, this.#before !== undefined, false);
    for (const group of this.#groups.values()) this.#addGroup(group);
    for (const { entry, role, isNeeded } of this.#folders.values()) {
      if (isNeeded) this.#changes.push({ entry, role, at: inFolder(this.#upper, entry.path) });
    }
    return this.#changes.toSorted((a, b) => compareBytes(tarName(a.entry), tarName(b.entry)));
  }

  /**
   * @param comparable whether the layers below have a folder here too
   * @param isHiding whether what they have in it does not show through
   */
  #walk(folder: BytePath, comparable: boolean, isHiding: boolean): void {
    const names = readdirSync(fsPath(inFolder(this.#upper, folder)), 'latin1');
    for (const name of names) this.#visit(childOf(folder, name), comparable, isHiding);
    if (!comparable || !isHiding || this.#before === undefined) return;
    const present = new Set(names);
    for (const name of readdirSync(fsPath(inFolder(this.#before, folder)), 'latin1')) {
      if (!present.has(name)) this.#addWhiteout(childOf(folder, name));
    }
  }

  #visit(path: BytePath, comparable: boolean, isHiding: boolean): void {
    const at = inFolder(this.#upper, path);
    const stats = lstatSync(fsPath(at), { bigint: true });
    const before = comparable ? this.#statBefore(path) : undefined;
    if (stats.isCharacterDevice() && stats.rdev === 0n) {
      if (before !== undefined) this.#addWhiteout(path);
      return;
    }
    const { xattrs, isOpaque } = readUpperXattrs(at);
    const node = nodeEntry(at, path, stats, xattrs);
    if (node === undefined) return;
    if (node.type === 'directory') {
      this.#visitFolder(node, stats, before, isHiding || isOpaque);
      return;
    }
    const isChanged = before === undefined || !this.#isAsBefore(node, stats, before);
    if (stats.nlink > 1n || (before?.nlink ?? 0n) > 1n) this.#addToGroup(stats.ino, node, isChanged, before);
    else if (isChanged) this.#add(node);
  }

  #visitFolder(
    entry: DirectoryEntry,
    stats: BigIntStats,
    before: BigIntStats | undefined,
    isOpaque: boolean,
  ): void {
    const { path } = entry;
    const at = inFolder(this.#upper, path);
    const old = this.#nodeBefore(path, before);
    const role = old !== undefined && sameAttributes(entry, old) ? 'parent' : 'change';
    const isTouched = role === 'change' || stats.mtimeNs !== before?.mtimeNs;
    this.#folders.set(path, { entry: isTouched ? this.#clamped(entry, at) : entry, role, isNeeded: false });
    if (isTouched) this.#need(path);
    this.#walk(path, before?.isDirectory() ?? false, isOpaque);
  }

  #statBefore(path: BytePath): BigIntStats | undefined {
    if (this.#before === undefined) return undefined;
    return lstatSync(fsPath(inFolder(this.#before, path)), { bigint: true, throwIfNoEntry: false });
  }

  #nodeBefore(path: BytePath, stats: BigIntStats | undefined): NodeEntry | undefined {
    if (this.#before === undefined || stats === undefined) return undefined;
    const at = inFolder(this.#before, path);
    return nodeEntry(at, path, stats, readXattrs(at));
  }

  #isAsBefore(node: NodeEntry, stats: BigIntStats, before: BigIntStats): boolean {
    if (stats.mtimeNs !== before.mtimeNs || this.#before === undefined) return false;
    const old = this.#nodeBefore(node.path, before);
    if (old === undefined || !sameAttributes(node, old)) return false;
    const { path } = node;
    return node.type !== 'file' || sameBytes(inFolder(this.#upper, path), inFolder(this.#before, path));
  }

  #addToGroup(inode: bigint, node: NodeEntry, isChanged: boolean, before: BigIntStats | undefined): void {
    const group = this.#groups.get(inode) ?? {
      nodes: [],
      inodesBefore: new Set(),
      namesBefore: 0,
      isChanged: false,
    };
    group.nodes.push(node);
    group.inodesBefore.add(before?.ino);
    group.namesBefore = Number(before?.nlink ?? 0);
    group.isChanged ||= isChanged;
    this.#groups.set(inode, group);
  }

  /**
   * A file with several names is an entry under each, or under none: else they would no longer be one file. One that
   * was copied up has left its other names below: even if it is as it was, it is a file of its own now.
   */
  #addGroup({ nodes, inodesBefore, namesBefore, isChanged }: LinkGroup): void {
    if (!isChanged && inodesBefore.size === 1 && namesBefore === nodes.length) return;
    const [lowest, ...others] = nodes.toSorted((a, b) => compareBytes(a.path, b.path));
    if (lowest === undefined) return;
    const first = this.#add(lowest);
    for (const { path } of others) {
      const entry: Entry = { type: 'hardlink', path, target: first.path };
      this.#changes.push({ entry, role: 'change', at: inFolder(this.#upper, path), node: first });
      this.#need(parentOf(path));
    }
  }

  #add(node: NodeEntry): NodeEntry {
    const at = inFolder(this.#upper, node.path);
    const entry = this.#clamped(node, at);
    this.#changes.push({ entry, role: 'change', at });
    this.#need(parentOf(entry.path));
    return entry;
  }

  #addWhiteout(path: BytePath): void {
    this.#changes.push({
      entry: { type: 'whiteout', path },
      role: 'change',
      at: inFolder(this.#upper, path),
    });
    this.#need(parentOf(path));
  }

  #need(folder: BytePath): void {
    for (let at = folder; at !== ROOT; at = parentOf(at)) {
      const known = this.#folders.get(at);
      if (known === undefined || known.isNeeded) return;
      known.isNeeded = true;
    }
  }

  /** What changed, no later than the limit; the file itself too, because it becomes part of the layer's tree. */
  #clamped<T extends NodeEntry>(node: T, at: HostPath): T {
    const mtime = clampTime(node.mtime, this.#latest);
    if (mtime === node.mtime) return node;
    setTimes(fsPath(at), mtime);
    return { ...node, mtime };
  }
}
