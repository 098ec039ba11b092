import { lchownSync, rmSync } from 'node:fs';
import { removeXattr } from '@caisson/sys';
import type { StateBefore } from './before.ts';
import { baseName, childOf, fsPath, inFolder, parentOf, type BytePath, type HostPath } from './byte-path.ts';
import type { DirectoryEntry, Entry, FileEntry, NodeEntry } from './entry.ts';
import { KnownFile, type PartOf } from './known-file.ts';
import type { Toc } from './toc.ts';
import { TreeWriter } from './tree-writer.ts';

/**
 * A folder that holds all files of a state: a root to run something in where no layers can be mounted. It knows what it
 * put there, so that what is changed afterwards is found without reading everything ({@link diffTree}).
 */
export class StateTree implements StateBefore {
  readonly root: HostPath;
  #writer: TreeWriter;
  readonly #files = new Map<BytePath, KnownFile>();
  readonly #names = new Map<BytePath, Set<string>>();
  /** Whether something ran in it, which may have left what no layer holds. */
  #isUsed = false;

  /** @param root an empty folder that nobody else writes to */
  constructor(root: HostPath) {
    this.root = root;
    this.#writer = new TreeWriter(root);
  }

  file(path: BytePath): KnownFile | undefined {
    return this.#files.get(path);
  }

  names(folder: BytePath): readonly string[] {
    return [...(this.#names.get(folder) ?? [])];
  }

  /**
   * Puts a layer on top of what is there.
   * @param partOf where the bytes of its files lie; asked again when one has to be compared
   */
  apply(toc: Toc, partOf: PartOf): void {
    const folders: DirectoryEntry[] = [];
    const links: Extract<Entry, { type: 'hardlink' }>[] = [];
    for (const entry of toc.entries) {
      if (entry.type === 'whiteout') this.#remove(entry.path);
      else if (entry.type === 'hardlink') links.push(entry);
      else if (entry.type === 'directory') {
        this.#putFolder(entry, partOf);
        folders.push(entry);
      } else this.#putFile(entry, partOf);
    }
    for (const { path, target } of links) this.#putLink(path, target, toc, partOf);
    // Deepest first: what is done in a folder changes its time.
    for (const folder of folders.toReversed()) this.#writer.finishDirectory(plain(folder));
    this.#writer.finishRoot();
    this.#look(toc);
    this.#writer = new TreeWriter(this.root, { isEmpty: false });
  }

  /** Takes what was found to differ as what is there now. */
  advance(toc: Toc, touched: readonly BytePath[]): void {
    this.#isUsed = true;
    for (const entry of toc.entries) {
      if (entry.type === 'whiteout') this.#forget(entry.path);
      else {
        const node = nodeOf(entry, toc);
        if (node.type !== 'directory' && this.file(entry.path)?.isDirectory === true)
          this.#forget(entry.path);
        this.#know(entry.path, node, isDigested);
      }
    }
    this.#writer.finishRoot();
    this.#look(toc);
    for (const path of touched) this.file(path)?.look(inFolder(this.root, path));
  }

  #putFolder(entry: DirectoryEntry, partOf: PartOf): void {
    const { path } = entry;
    const at = fsPath(inFolder(this.root, path));
    const there = this.file(path)?.node();
    if (there?.type === 'directory') {
      if (entry.opaque === true) for (const name of this.names(path)) this.#remove(childOf(path, name));
      lchownSync(at, entry.uid, entry.gid);
      for (const name of there.xattrs?.keys() ?? []) removeXattr(at, name);
    } else {
      this.#remove(path);
      this.#writer.makeDirectory(path);
    }
    this.#know(path, plain(entry), partOf);
  }

  #putFile(node: Exclude<NodeEntry, DirectoryEntry>, partOf: PartOf): void {
    this.#remove(node.path);
    if (node.type === 'file') this.#writer.copyFile(node, partOf(node));
    else if (node.type === 'symlink') this.#writer.makeSymlink(node);
    else this.#writer.makeSpecialFile(node);
    this.#know(node.path, node, partOf);
  }

  #putLink(path: BytePath, target: BytePath, toc: Toc, partOf: PartOf): void {
    this.#remove(path);
    this.#writer.makeHardLink(path, target);
    this.#know(path, nodeOf({ type: 'hardlink', path, target }, toc), partOf);
  }

  #remove(path: BytePath): void {
    if (!this.#files.has(path) && !this.#isUsed) return;
    rmSync(fsPath(inFolder(this.root, path)), { recursive: true, force: true });
    this.#forget(path);
  }

  #know(path: BytePath, node: NodeEntry, partOf: PartOf): void {
    this.#files.set(path, new KnownFile(node, partOf));
    const parent = parentOf(path);
    const names = this.#names.get(parent);
    if (names === undefined) this.#names.set(parent, new Set([baseName(path)]));
    else names.add(baseName(path));
  }

  #forget(path: BytePath): void {
    for (const name of this.names(path)) this.#forget(childOf(path, name));
    this.#names.delete(path);
    this.#files.delete(path);
    this.#names.get(parentOf(path))?.delete(baseName(path));
  }

  #look({ entries }: Toc): void {
    for (const { path } of entries) this.file(path)?.look(inFolder(this.root, path));
  }
}

/** What was written into a layer is known by its digest. */
function isDigested({ path }: FileEntry): never {
  throw new Error(`Internal error: the digest of ${path} is not known`);
}

function plain({ opaque: _said, ...entry }: DirectoryEntry): DirectoryEntry {
  return entry;
}

/** What an entry says that a path is: of another name of a file, that file. */
function nodeOf(entry: Exclude<Entry, { type: 'whiteout' }>, toc: Toc): NodeEntry {
  if (entry.type !== 'hardlink') return entry;
  const node = toc.get(entry.target);
  if (node === undefined || node.type === 'hardlink' || node.type === 'whiteout')
    throw new Error(`Internal error: the hard link ${entry.path} names nothing in its layer`);
  return node;
}
