import { canonicalJson, digestOf, type Digest, type Json } from '@caisson/oci';
import { baseName, childOf, type BytePath, type NodeEntry } from '@caisson/layer';
import type { Selected } from './select-sources.ts';
import type { SourceNode, SourceTree } from './source-tree.ts';

/**
 * What a selection counts as in the key of a COPY: for each thing its name and a digest of all that it holds. A folder
 * is digested from the digests of what is in it, so that two selections can be compared from the top down. Times,
 * inodes and, for a context, owners do not count: they differ between checkouts of the same files.
 */
export async function selectionDigest(
  tree: SourceTree,
  selected: readonly Selected[],
  signal: AbortSignal,
): Promise<Digest> {
  const files: SourceNode[] = [];
  for (const each of selected) collectFiles(each.tree, each.node, files);
  const digests = await tree.digests(files, signal);
  const byPath = new Map(files.map((file, index) => [file.entry.path, digests[index]]));
  return digestOf(
    canonicalJson(
      selected.map(({ name, node, tree: from, parents }) => {
        const links = new LinkNames(node.entry.path);
        const shown = node.entry.type === 'directory' ? '' : name;
        const digest = nodeDigest(from, node, byPath, links);
        if (parents === undefined) return [shown, digest];
        const above = parents.map(({ entry }) => [
          baseName(entry.path),
          ...describeAttributes(entry, tree.keepsOwners),
        ]);
        return [name, digest, above];
      }),
    ),
  );
}

function collectFiles(tree: SourceTree, node: SourceNode, into: SourceNode[]): void {
  if (node.entry.type === 'file') into.push(node);
  if (node.entry.type !== 'directory') return;
  for (const name of tree.list(node.entry.path)) {
    const child = tree.lookup(childOf(node.entry.path, name));
    if (child !== undefined) collectFiles(tree, child, into);
  }
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

function nodeDigest(
  tree: SourceTree,
  node: SourceNode,
  digests: ReadonlyMap<BytePath, Digest | undefined>,
  links: LinkNames,
): Digest {
  const { entry } = node;
  const attributes = describeAttributes(entry, tree.keepsOwners);
  const link = links.firstOf(node);
  if (link !== undefined) return digestOf(canonicalJson(['hardlink', link]));
  switch (entry.type) {
    case 'file':
      return digestOf(
        canonicalJson([entry.type, ...attributes, entry.size, digests.get(entry.path) ?? null]),
      );
    case 'symlink':
      return digestOf(canonicalJson([entry.type, entry.target, ...ownerOf(entry, tree.keepsOwners)]));
    case 'char':
    case 'block':
      return digestOf(canonicalJson([entry.type, ...attributes, entry.major, entry.minor]));
    case 'fifo':
      return digestOf(canonicalJson([entry.type, ...attributes]));
    case 'directory': {
      const children: [string, Digest][] = [];
      for (const name of tree.list(entry.path)) {
        const child = tree.lookup(childOf(entry.path, name));
        if (child !== undefined) children.push([name, nodeDigest(tree, child, digests, links)]);
      }
      return digestOf(canonicalJson([entry.type, ...attributes, children]));
    }
  }
}

function describeAttributes(entry: NodeEntry, withOwner: boolean): Json[] {
  const xattrs = [...(entry.xattrs ?? [])].map(([name, value]) => [
    name,
    Buffer.from(value).toString('base64'),
  ]);
  return [entry.mode, ...ownerOf(entry, withOwner), ...(xattrs.length > 0 ? [xattrs] : [])];
}

function ownerOf({ uid, gid }: NodeEntry, isKept: boolean): number[] {
  return isKept ? [uid, gid] : [];
}
