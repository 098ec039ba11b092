import { canonicalJson, type Digest, type Json } from '@caisson/oci';
import { baseName, type BytePath, type NodeEntry } from '@caisson/layer';
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

  *#filesIn(folder: BytePath): Generator<readonly SourceNode[]> {
    const list = this.#tree.lists?.get(folder);
    if (list !== undefined) {
      this.#kept.set(folder, list);
      return;
    }
    let files: SourceNode[] = [];
    for (const child of this.#tree.children(folder)) {
      if (child.entry.type === 'file') files.push(child);
      if (child.entry.type !== 'directory') continue;
      yield files;
      files = [];
      yield* this.#filesIn(child.entry.path);
    }
    yield files;
  }

  /** The item of what was named. @param digests of the files, in the order in which they came */
  top(name: string, digests: Iterator<Digest, undefined>): Json[] {
    return this.#item(name, this.#top, digests).item;
  }

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
      case 'directory': {
        const list = this.#list(entry.path, digests);
        return { item: [name, entry.type, entry.mode, list.digest, ...rest], hasLinks: list.hasLinks };
      }
    }
  }

  /** What is in a folder. The tree keeps the list unless names in it stand for files that may have been met elsewhere. */
  #list(
    folder: BytePath,
    digests: Iterator<Digest, undefined>,
  ): { readonly digest: Digest; readonly hasLinks: boolean } {
    const kept = this.#kept.get(folder);
    if (kept !== undefined) {
      this.#keepTexts(folder, kept);
      return { digest: kept.digest, hasLinks: false };
    }
    const items = this.#tree
      .children(folder)
      .map((child) => this.#item(baseName(child.entry.path), child, digests));
    const text = canonicalJson(items.map(({ item }) => item));
    const digest = this.#parts.add(text);
    const hasLinks = items.some((each) => each.hasLinks);
    if (!hasLinks) this.#tree.lists?.set(folder, { digest, text });
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
