import { lstatSync, readdirSync, unlinkSync, type BigIntStats } from 'node:fs';
import { setTimes, type Time } from '@caisson/sys';
import { MountedState, type FileBefore, type StateBefore } from './before.ts';
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
import { clampTime, timeOf, type DirectoryEntry, type Entry, type NodeEntry } from './entry.ts';
import { LayerWriter, type WrittenLayer } from './layer-writer.ts';
import { tarName } from './tar-fields.ts';
import { nodeEntry } from './node-entry.ts';
import { sameAttributes } from './same-file.ts';
import type { StateTree } from './state-tree.ts';
import { readUpperXattrs } from './xattrs.ts';

/** How to make a layer of what a step left behind. */
export interface DiffOptions {
  /** Where to write the tar; a new file. */
  readonly output: HostPath;
  /** No time in the layer is later. Files that are get this time, so that the two stay equal. */
  readonly latest?: Time;
  /** Told how many bytes the files have together, before they are read. */
  readonly onSize?: (bytes: number) => void;
  /** Called before each entry is written: what it throws ends the work. */
  readonly checkpoint?: () => void;
}

/** What a step left behind that ran on an overlay. */
export interface DiffRequest extends DiffOptions {
  /** The upper folder. Nothing may write to it any more. */
  readonly upper: HostPath;
  /** The layers below, mounted; undefined where there are none. */
  readonly before: HostPath | undefined;
}

/**
 * Makes a layer of what changed: a function of the files before and after, however they were changed. A file that was
 * copied up but is as it was is no entry; what is gone is a whiteout each; a folder is an entry where it changed or
 * where something in it did.
 * @throws LayerError `unsafe-layer` for a file whose name starts with `.wh.`
 */
export function diffLayer({ upper, before, ...options }: DiffRequest): WrittenLayer {
  const state = before === undefined ? undefined : new MountedState(before);
  return writeChanges(new ChangedFiles(upper, state, options.latest).inUpper(), options);
}

/**
 * Makes a layer of what changed in a folder that holds all of a state: the same as {@link diffLayer} makes of an overlay.
 * The tree is one of the state that it has now from then on.
 * @throws LayerError `unsafe-layer` for a file whose name starts with `.wh.`
 */
export function diffTree(tree: StateTree, options: DiffOptions): WrittenLayer {
  const files = new ChangedFiles(tree.root, tree, options.latest);
  const written = writeChanges(files.inWhole(), options);
  tree.advance(written.toc, files.touched);
  return written;
}

function writeChanges(changes: readonly Change[], { output, onSize, checkpoint }: DiffOptions): WrittenLayer {
  const size = sizeOf(changes);
  onSize?.(size);
  const writer = new LayerWriter(output, { size });
  try {
    for (const { entry, role, at, node } of changes) {
      checkpoint?.();
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
  /** Where it lies. */
  readonly at: HostPath;
  /** For a hard link: what it is another name of. */
  readonly node?: NodeEntry;
}

interface Folder {
  readonly entry: DirectoryEntry;
  readonly role: 'change' | 'parent';
  isNeeded: boolean;
}

/** Names of one file. */
interface LinkGroup {
  readonly nodes: NodeEntry[];
  /** The files of the layers below with these names; undefined for none. */
  readonly inodesBefore: Set<bigint | undefined>;
  /** How many names the file below has. */
  namesBefore: bigint;
  isChanged: boolean;
}

class ChangedFiles {
  readonly #root: HostPath;
  readonly #before: StateBefore | undefined;
  readonly #latest: Time | undefined;
  /** What was there before and had to be looked at. */
  readonly touched: BytePath[] = [];
  readonly #changes: Change[] = [];
  readonly #folders = new Map<BytePath, Folder>();
  readonly #groups = new Map<bigint, LinkGroup>();

  constructor(root: HostPath, before: StateBefore | undefined, latest: Time | undefined) {
    this.#root = root;
    this.#before = before;
    this.#latest = latest;
  }

  /** Of a folder that holds what differs. */
  inUpper(): Change[] {
    return this.#collect(false);
  }

  /** Of a folder that holds everything. */
  inWhole(): Change[] {
    return this.#collect(true);
  }

  #collect(isWhole: boolean): Change[] {
    this.#walk(ROOT, this.#before !== undefined, isWhole);
    for (const group of this.#groups.values()) this.#addGroup(group);
    for (const { entry, role, isNeeded } of this.#folders.values()) {
      if (isNeeded) this.#changes.push({ entry, role, at: inFolder(this.#root, entry.path) });
    }
    return this.#changes.toSorted((a, b) => compareBytes(tarName(a.entry), tarName(b.entry)));
  }

  /**
   * @param comparable whether the layers below have a folder here too
   * @param isHiding whether what they have in it does not show through
   */
  #walk(folder: BytePath, comparable: boolean, isHiding: boolean): void {
    const names = readdirSync(fsPath(inFolder(this.#root, folder)), 'latin1');
    for (const name of names) this.#visit(childOf(folder, name), comparable, isHiding);
    if (!comparable || !isHiding || this.#before === undefined) return;
    const present = new Set(names);
    for (const name of this.#before.names(folder)) {
      if (!present.has(name)) this.#addWhiteout(childOf(folder, name));
    }
  }

  #visit(path: BytePath, comparable: boolean, isHiding: boolean): void {
    const at = inFolder(this.#root, path);
    const stats = lstatSync(fsPath(at), { bigint: true });
    const before = comparable ? this.#before?.file(path) : undefined;
    if (stats.isCharacterDevice() && stats.rdev === 0n) {
      if (before !== undefined) this.#addWhiteout(path);
      return;
    }
    if (before?.isUntouched(stats) === true) {
      this.#passBy(path, before, isHiding);
      return;
    }
    this.touched.push(path);
    const { xattrs, isOpaque } = readUpperXattrs(at);
    const node = nodeEntry(at, path, stats, xattrs);
    if (node === undefined) {
      if (before === undefined) removeSocket(at, inFolder(this.#root, parentOf(path)));
      return;
    }
    if (node.type === 'directory') {
      this.#visitFolder(node, stats, before, isHiding || isOpaque);
      return;
    }
    const isChanged = before === undefined || !this.#isAsBefore(node, stats, before);
    if (stats.nlink > 1n || (before?.names(stats) ?? 0n) > 1n)
      this.#addToGroup(stats, node, isChanged, before);
    else if (isChanged) this.#add(node);
  }

  /** Nothing happened to it; something may have happened in it. */
  #passBy(path: BytePath, before: FileBefore, isHiding: boolean): void {
    if (!before.isDirectory) return;
    const entry = before.node();
    if (entry?.type !== 'directory') throw new Error(`Internal error: a folder that was none: ${path}`);
    this.#folders.set(path, { entry, role: 'parent', isNeeded: false });
    this.#walk(path, true, isHiding);
  }

  #visitFolder(
    entry: DirectoryEntry,
    stats: BigIntStats,
    before: FileBefore | undefined,
    isOpaque: boolean,
  ): void {
    const { path } = entry;
    const at = inFolder(this.#root, path);
    const old = before?.node();
    const role = old !== undefined && sameAttributes(entry, old) ? 'parent' : 'change';
    const isTouched = role === 'change' || stats.mtimeNs !== before?.mtimeNs;
    this.#folders.set(path, { entry: isTouched ? this.#clamped(entry, at) : entry, role, isNeeded: false });
    if (isTouched) this.#need(path);
    this.#walk(path, before?.isDirectory ?? false, isOpaque);
  }

  #isAsBefore(node: NodeEntry, stats: BigIntStats, before: FileBefore): boolean {
    if (stats.mtimeNs !== before.mtimeNs) return false;
    const old = before.node();
    if (old === undefined || !sameAttributes(node, old)) return false;
    return node.type !== 'file' || before.hasBytesOf(inFolder(this.#root, node.path));
  }

  #addToGroup(stats: BigIntStats, node: NodeEntry, isChanged: boolean, before: FileBefore | undefined): void {
    const group = this.#groups.get(stats.ino) ?? {
      nodes: [],
      inodesBefore: new Set(),
      namesBefore: 0n,
      isChanged: false,
    };
    group.nodes.push(node);
    group.inodesBefore.add(before?.inode);
    group.namesBefore = before?.names(stats) ?? 0n;
    group.isChanged ||= isChanged;
    this.#groups.set(stats.ino, group);
  }

  /**
   * A file with several names is an entry under each, or under none: else they would no longer be one file. One that
   * was copied up has left its other names below: even if it is as it was, it is a file of its own now.
   */
  #addGroup({ nodes, inodesBefore, namesBefore, isChanged }: LinkGroup): void {
    if (!isChanged && inodesBefore.size === 1 && namesBefore === BigInt(nodes.length)) return;
    const [lowest, ...others] = nodes.toSorted((a, b) => compareBytes(a.path, b.path));
    if (lowest === undefined) return;
    const first = this.#add(lowest);
    for (const { path } of others) {
      const entry: Entry = { type: 'hardlink', path, target: first.path };
      this.#changes.push({ entry, role: 'change', at: inFolder(this.#root, path), node: first });
      this.#need(parentOf(path));
    }
  }

  #add(node: NodeEntry): NodeEntry {
    const at = inFolder(this.#root, node.path);
    const entry = this.#clamped(node, at);
    this.#changes.push({ entry, role: 'change', at });
    this.#need(parentOf(entry.path));
    return entry;
  }

  #addWhiteout(path: BytePath): void {
    this.#changes.push({
      entry: { type: 'whiteout', path },
      role: 'change',
      at: inFolder(this.#root, path),
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

/** The next step must not see what no layer can hold: it would, as long as the tree of this one is kept. */
function removeSocket(at: HostPath, folder: HostPath): void {
  const { mtimeNs } = lstatSync(fsPath(folder), { bigint: true });
  unlinkSync(fsPath(at));
  setTimes(fsPath(folder), timeOf(mtimeNs));
}
