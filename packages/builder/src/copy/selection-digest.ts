import { canonicalJson, type Digest, type Json } from '@caisson/oci';
import { baseName, type BytePath, type NodeEntry } from '@caisson/layer';
import type { KeyParts } from '../solve/key-parts.ts';
import type { Selected } from './select-sources.ts';
import type { SourceNode, SourceTree } from './source-tree.ts';

/**
 * What a selection counts as in the key of a COPY: the digest of a list of what it names, where a folder has the digest
 * of the list of what is in it. So two selections can be compared from the top down. Times, inodes and, for a context,
 * owners do not count: they differ between checkouts of the same files.
 *
 * An item of a list is `[name, type, ...what matters, more?]`; see {@link itemOf}.
 * @param parts keeps the lists
 */
export async function selectionDigest(
  tree: SourceTree,
  selected: readonly Selected[],
  parts: KeyParts,
  signal: AbortSignal,
): Promise<Digest> {
  const files: SourceNode[] = [];
  for (const each of selected) collectFiles(each.tree, each.node, files);
  const digests = await tree.digests(files, signal);
  const byPath = new Map(files.map((file, index) => [file.entry.path, digests[index]]));
  return parts.add(
    canonicalJson(
      selected.map(({ name, node, tree: from, parents }) => {
        const links = new LinkNames(node.entry.path);
        const isShown = node.entry.type !== 'directory' || parents !== undefined;
        const item = itemOf(isShown ? name : '', from, node, { digests: byPath, links, parts });
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

function collectFiles(tree: SourceTree, node: SourceNode, into: SourceNode[]): void {
  if (node.entry.type === 'file') into.push(node);
  if (node.entry.type !== 'directory') return;
  for (const child of tree.children(node.entry.path)) collectFiles(tree, child, into);
}

/** Which names of what is selected are names of one file: each is known by the first one met. */
class LinkNames {
  readonly #top: BytePath;
  readonly #first = new Map<string, string>();

  constructor(top: BytePath) {
    this.#top = top;
  }

  /** The first name, relative to what was selected, of the file that a later name stands for. */
  firstOf({ entry, linkId }: SourceNode): string | undefined {
    if (linkId === undefined) return undefined;
    const first = this.#first.get(linkId);
    if (first === undefined) this.#first.set(linkId, entry.path.slice(this.#top.length));
    return first;
  }
}

interface Known {
  readonly digests: ReadonlyMap<BytePath, Digest | undefined>;
  readonly links: LinkNames;
  readonly parts: KeyParts;
}

function itemOf(name: string, tree: SourceTree, node: SourceNode, known: Known): Json[] {
  const { entry } = node;
  const first = known.links.firstOf(node);
  if (first !== undefined) return [name, 'hardlink', first];
  const rest = more(entry, tree.keepsOwners);
  switch (entry.type) {
    case 'file':
      return [name, entry.type, entry.mode, entry.size, known.digests.get(entry.path) ?? null, ...rest];
    case 'symlink':
      return [name, entry.type, entry.target, ...rest];
    case 'char':
    case 'block':
      return [name, entry.type, entry.mode, entry.major, entry.minor, ...rest];
    case 'fifo':
      return [name, entry.type, entry.mode, ...rest];
    case 'directory':
      return [name, entry.type, entry.mode, listOf(tree, entry.path, known), ...rest];
  }
}

function listOf(tree: SourceTree, folder: BytePath, known: Known): Digest {
  const items = tree
    .children(folder)
    .map((child): Json[] => itemOf(baseName(child.entry.path), tree, child, known));
  return known.parts.add(canonicalJson(items));
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
