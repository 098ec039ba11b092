import { canonicalJson, type Digest, type Json } from '@caisson/oci';
import { baseName, type BytePath, type DirectoryEntry, type NodeEntry } from '@caisson/layer';
import { Slices } from '../slices.ts';
import type { KeyParts } from '../solve/key-parts.ts';
import type { FolderList } from './folder-lists.ts';
import type { Selected } from './select-sources.ts';
import type { SourceNode, SourceTree } from './source-tree.ts';

/**
 * What a selection counts as in the key of a COPY: the digest of a list of what it names, where a folder has the digest
 * of the list of what is in it. So two selections can be compared from the top down. Times, inodes and, for a context,
 * owners do not count: they differ between checkouts of the same files. Lists that the tree keeps are not made again.
 *
 * An item of a list is `[name, type, ...what matters, more?]`; see {@link SelectedItems}.
 * @param parts keeps the lists
 */
export async function selectionDigest(
  tree: SourceTree,
  selected: readonly Selected[],
  parts: KeyParts,
  signal: AbortSignal,
): Promise<Digest> {
  const files: SourceNode[] = [];
  const all = selected.map((each) => ({ ...each, items: new SelectedItems(each, parts) }));
  const slices = new Slices(signal);
  for (const { tree: from, node, items } of all) {
    if (node.entry.type === 'directory') await from.recall?.(node.entry.path, signal);
    for (const found of items.files()) {
      for (const file of found) files.push(file);
      if (slices.isOver) await slices.next();
    }
  }
  const digests = (await tree.digests(files, signal)).values();
  return parts.add(
    canonicalJson(
      all.map(({ name, node, parents, items }) => {
        const isShown = node.entry.type !== 'directory' || parents !== undefined;
        const item = items.top(isShown ? name : '', digests);
        if (parents === undefined) return item;
        const above = parents.map(({ entry }) => [
          baseName(entry.path),
          entry.mode,
          ...more(entry, tree.keepsOwners),
        ]);
        return [...item, { above }];
      }),
    ),
  );
}

/**
 * The items of one thing that a source names, and of all that is in it. It is walked twice in the same order: first for
 * the files whose digests are needed, then for the lists.
 */
class SelectedItems {
  readonly #top: SourceNode;
  readonly #tree: SourceTree;
  readonly #parts: KeyParts;
  /** The folders whose lists the tree had kept when the walk began: nothing in them is looked at. */
  readonly #kept = new Map<BytePath, FolderList>();
  /** By the files that have several names: the first name met, relative to the top, for which later ones stand. */
  readonly #firstNames = new Map<string, string>();

  constructor({ tree, node }: Selected, parts: KeyParts) {
    this.#tree = tree;
    this.#top = node;
    this.#parts = parts;
  }

  /** The files whose digests the items have in them, some at a time: as many as lie side by side. */
  *files(): Generator<readonly SourceNode[]> {
    if (this.#top.entry.type === 'file') yield [this.#top];
    if (this.#top.entry.type === 'directory') yield* this.#filesIn(this.#top.entry.path);
  }

  *#filesIn(top: BytePath): Generator<readonly SourceNode[]> {
    const open = [this.#begin(top)];
    for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
      const files: SourceNode[] = [];
      let inner: SourceNode | undefined;
      for (; inner === undefined && folder.next < folder.children.length; folder.next++) {
        const child = folder.children[folder.next];
        if (child?.entry.type === 'file') files.push(child);
        if (child?.entry.type === 'directory') inner = child;
      }
      yield files;
      if (inner === undefined) open.pop();
      else open.push(this.#begin(inner.entry.path));
    }
  }

  /** A folder to look through; of one whose list was kept, nothing. */
  #begin(folder: BytePath): { readonly children: readonly SourceNode[]; next: number } {
    const list = this.#tree.lists?.get(folder);
    if (list !== undefined) this.#kept.set(folder, list);
    return { children: list === undefined ? this.#tree.children(folder) : [], next: 0 };
  }

  /** The item of what was named. @param digests of the files, in the order in which they came */
  top(name: string, digests: Iterator<Digest, undefined>): Json[] {
    const { entry } = this.#top;
    if (entry.type !== 'directory') return this.#item(name, this.#top, digests).item;
    return this.#folderItem(entry, this.#list(entry.path, digests), name).item;
  }

  #folderItem(entry: DirectoryEntry, { digest, hasLinks }: ListOfFolder, name = baseName(entry.path)): Item {
    return { item: [name, entry.type, entry.mode, digest, ...more(entry, this.#tree.keepsOwners)], hasLinks };
  }

  /** The item of something that is no folder. */
  #item(name: string, node: SourceNode, digests: Iterator<Digest, undefined>): Item {
    const { entry, linkId } = node;
    const digest = entry.type === 'file' ? next(digests) : undefined;
    const first = linkId === undefined ? undefined : this.#firstNames.get(linkId);
    if (first !== undefined) return { item: [name, 'hardlink', first], hasLinks: true };
    if (linkId !== undefined) this.#firstNames.set(linkId, entry.path.slice(this.#top.entry.path.length));
    const hasLinks = linkId !== undefined;
    const rest = more(entry, this.#tree.keepsOwners);
    switch (entry.type) {
      case 'file':
        return { item: [name, entry.type, entry.mode, entry.size, digest ?? null, ...rest], hasLinks };
      case 'symlink':
        return { item: [name, entry.type, entry.target, ...rest], hasLinks };
      case 'char':
      case 'block':
        return { item: [name, entry.type, entry.mode, entry.major, entry.minor, ...rest], hasLinks };
      case 'fifo':
        return { item: [name, entry.type, entry.mode, ...rest], hasLinks };
      case 'directory':
        throw new Error('Internal error: a folder is an item of its list');
    }
  }

  /** What is in a folder, whatever its depth: those in it are gone through without a call in a call. */
  #list(top: BytePath, digests: Iterator<Digest, undefined>): ListOfFolder {
    const known = this.#keptList(top);
    if (known !== undefined) return known;
    const open = [this.#openFolder(top, undefined)];
    for (;;) {
      const folder = open.at(-1);
      if (folder === undefined) throw new Error('Internal error: no folder is open');
      const child = folder.children[folder.items.length];
      if (child === undefined) {
        open.pop();
        const list = this.#close(folder);
        if (folder.entry === undefined) return list;
        open.at(-1)?.items.push(this.#folderItem(folder.entry, list));
      } else if (child.entry.type === 'directory') {
        const kept = this.#keptList(child.entry.path);
        if (kept === undefined) open.push(this.#openFolder(child.entry.path, child.entry));
        else folder.items.push(this.#folderItem(child.entry, kept));
      } else folder.items.push(this.#item(baseName(child.entry.path), child, digests));
    }
  }

  #openFolder(path: BytePath, entry: DirectoryEntry | undefined): OpenFolder {
    return { path, entry, children: this.#tree.children(path), items: [] };
  }

  #keptList(folder: BytePath): ListOfFolder | undefined {
    const kept = this.#kept.get(folder);
    if (kept === undefined) return undefined;
    this.#keepTexts(folder, kept);
    return { digest: kept.digest, hasLinks: false };
  }

  /** The tree keeps the list unless names in it stand for files that may have been met elsewhere. */
  #close({ path, items }: OpenFolder): ListOfFolder {
    const text = canonicalJson(items.map(({ item }) => item));
    const digest = this.#parts.add(text);
    const hasLinks = items.some((each) => each.hasLinks);
    if (!hasLinks) this.#tree.lists?.set(path, { digest, text });
    return { digest, hasLinks };
  }

  /** Keeps the texts of a folder and of those in it for a record, unless earlier records have them. */
  #keepTexts(folder: BytePath, { digest, text }: FolderList): void {
    if (text === undefined) return;
    this.#parts.keep(digest, text);
    for (const { entry } of this.#tree.children(folder)) {
      const list = entry.type === 'directory' ? this.#tree.lists?.get(entry.path) : undefined;
      if (list !== undefined) this.#keepTexts(entry.path, list);
    }
  }
}

/** A folder whose list is being made. */
interface OpenFolder {
  readonly path: BytePath;
  /** Undefined for the one that was named. */
  readonly entry: DirectoryEntry | undefined;
  readonly children: readonly SourceNode[];
  /** Of the first of them. */
  readonly items: Item[];
}

interface ListOfFolder {
  readonly digest: Digest;
  readonly hasLinks: boolean;
}

interface Item {
  readonly item: Json[];
  /** Whether it or something in it is one of several names of a file. */
  readonly hasLinks: boolean;
}

function next(digests: Iterator<Digest, undefined>): Digest {
  const { value } = digests.next();
  if (value === undefined) throw new Error('Internal error: a file without a digest');
  return value;
}

/** What few things have: an owner that counts, extended attributes. */
function more({ type, uid, gid, xattrs }: NodeEntry, keepsOwner: boolean): Json[] {
  const owner = keepsOwner ? { owner: `${uid}:${gid}` } : {};
  const attributes = [...(type === 'symlink' ? [] : (xattrs ?? []))].map(
    ([name, value]) => [name, Buffer.from(value).toString('base64')] as const,
  );
  const extended = attributes.length === 0 ? {} : { xattrs: Object.fromEntries(attributes) };
  const all = { ...owner, ...extended };
  return Object.keys(all).length === 0 ? [] : [all];
}
