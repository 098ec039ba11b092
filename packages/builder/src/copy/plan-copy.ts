import { digestOf, type Digest } from '@caisson/oci';
import {
  baseName,
  bytesOf,
  childOf,
  parentOf,
  ROOT,
  textOf,
  type BytePath,
  type FileEntry,
} from '@caisson/layer';
import {
  DestinationError,
  plannedFolder,
  type Attributes,
  type Destination,
  type Planned,
} from './destination.ts';
import { applyFileMode } from './file-mode.ts';
import type { KeptFolders } from './kept-folders.ts';
import type { Selected } from './select-sources.ts';
import type { RemoteFile } from './remote-files.ts';
import type { SourceNode } from './source-tree.ts';

/** What one COPY or ADD puts where. */
export interface CopyRequest {
  readonly items: readonly CopyItem[];
  /** Absolute; one that ends in a slash is a folder. */
  readonly destination: string;
  readonly attributes: Attributes;
}

/** One thing that is copied: from a tree, or a file that the Dockerfile itself holds. */
export type CopyItem =
  | {
      readonly kind: 'selected';
      readonly selected: Selected;
      readonly digests: ReadonlyMap<BytePath, Digest>;
      /** Folders of which all is as an earlier layer has it; only for what is copied alone. */
      readonly kept?: KeptFolders | undefined;
    }
  | {
      /** What is in an archive, to which no mode is given. */
      readonly kind: 'unpacked';
      readonly selected: Selected;
      readonly digests: ReadonlyMap<BytePath, Digest>;
      /** Folders that the archive says nothing of, but has something in. */
      readonly implied: ReadonlySet<BytePath>;
    }
  | { readonly kind: 'inline'; readonly name: string; readonly bytes: Uint8Array }
  | { readonly kind: 'remote'; readonly name: string; readonly file: RemoteFile };

/**
 * Works out what a COPY writes, without writing: the rules are those of docker's builder. A folder's contents are
 * merged into the destination, a file goes into a folder that is there, what is missing above is made; a link in the
 * destination is followed, one in a source is copied.
 * @throws DestinationError
 * @see https://docs.docker.com/reference/dockerfile/#copy
 */
export function planCopy(
  destination: Destination,
  { items, destination: text, attributes }: CopyRequest,
): void {
  for (const [index, item] of items.entries()) {
    const given = item.kind === 'unpacked' ? { ...attributes, mode: undefined } : attributes;
    new ItemCopy(destination, given, index).copy(item, text);
  }
}

class ItemCopy {
  readonly #to: Destination;
  readonly #attributes: Attributes;
  readonly #index: number;

  constructor(to: Destination, attributes: Attributes, index: number) {
    this.#to = to;
    this.#attributes = attributes;
    this.#index = index;
  }

  copy(item: CopyItem, text: string): void {
    const isContents = isFolderItem(item);
    const isFolder = text.endsWith('/') && !isContents;
    const target = this.#to.resolve(text);
    this.#to.makeFolders(isFolder ? target : parentOf(target), this.#attributes);
    if (item.kind === 'inline' || item.kind === 'remote') {
      this.#putFile(this.#fileTarget(target, bytesOf(item.name)), item);
      return;
    }
    const { node, name, parents } = item.selected;
    if (parents !== undefined) this.#copyWithParents(item, parents, target);
    else if (isContents) this.#copyContents(item, node, target);
    else this.#copyNode(item, node, this.#fileTarget(target, name));
  }

  /** `--parents`: the folders above a source come along, as they are there. */
  #copyWithParents(item: SelectedItem, parents: readonly SourceNode[], target: BytePath): void {
    this.#to.makeFolders(target, this.#attributes);
    let at = target;
    for (const parent of parents) {
      at = childOf(at, baseName(parent.entry.path));
      if (this.#to.lookup(at)?.type !== 'directory') this.#to.put(this.#planned(item, parent, at));
    }
    const { node, name } = item.selected;
    if (name === '') this.#copyContents(item, node, at);
    else this.#copyNode(item, node, childOf(at, name));
  }

  /** A file that is copied to a folder goes into it. */
  #fileTarget(target: BytePath, name: string): BytePath {
    return this.#to.lookup(target)?.type === 'directory' ? childOf(target, name) : target;
  }

  #copyContents(item: SelectedItem, node: SourceNode, target: BytePath): void {
    const there = this.#to.lookup(target);
    if (there === undefined) {
      this.#to.makeFolders(parentOf(target), this.#attributes);
      this.#to.put(plannedFolder(target, this.#attributes, node.entry.mtime));
    } else if (there.type !== 'directory') {
      throw new DestinationError(`cannot copy to non-directory: /${textOf(target)}`);
    } else if (target !== ROOT && item.kind === 'selected') {
      // All that it takes from the source is the time.
      this.#to.put({ entry: { ...there, mtime: node.entry.mtime }, from: undefined, linkId: undefined });
    }
    if (item.kind === 'unpacked') this.#unpackChildren(item, node, target, target);
    else this.#copyChildren(item, node, target);
  }

  #copyChildren(item: SelectedItem, node: SourceNode, target: BytePath): void {
    const { tree } = item.selected;
    const kept = item.kind === 'selected' ? item.kept?.get(node.entry.path) : undefined;
    if (kept !== undefined) {
      this.#to.keep(kept);
      return;
    }
    for (const child of tree.children(node.entry.path))
      this.#copyNode(item, child, childOf(target, baseName(child.entry.path)));
  }

  #unpackChildren(item: UnpackedItem, node: SourceNode, folder: BytePath, root: BytePath): void {
    for (const child of item.selected.tree.children(node.entry.path))
      this.#unpackNode(item, child, childOf(folder, baseName(child.entry.path)), root);
  }

  /**
   * As tar does it: what an archive has takes the place of what is there.
   * @param root where the archive is unpacked: links lead nowhere else
   */
  #unpackNode(item: UnpackedItem, node: SourceNode, target: BytePath, root: BytePath): void {
    if (node.entry.type !== 'directory') {
      this.#to.remove(target);
      this.#to.put(this.#planned(item, node, target));
    } else if (item.implied.has(node.entry.path)) {
      // A folder on the way to something, of which the archive says nothing: links are followed.
      const folder = this.#to.resolveIn(root, target.slice(root.length), `/${textOf(target)}`);
      this.#to.makeFolders(folder, { ...this.#attributes, owner: undefined });
      this.#unpackChildren(item, node, folder, root);
    } else {
      if (this.#to.lookup(target)?.type !== 'directory') this.#to.remove(target);
      this.#to.put(this.#planned(item, node, target));
      this.#unpackChildren(item, node, target, root);
    }
  }

  #copyNode(item: SelectedItem, node: SourceNode, target: BytePath): void {
    const there = this.#to.lookup(target);
    if (node.entry.type === 'directory') {
      if (there !== undefined && there.type !== 'directory') {
        throw new DestinationError(`cannot copy to non-directory: /${textOf(target)}`);
      }
      this.#to.put(this.#planned(item, node, target));
      this.#copyChildren(item, node, target);
      return;
    }
    if (there?.type === 'directory') {
      throw new DestinationError(`cannot replace to directory /${textOf(target)} with file`);
    }
    this.#to.put(this.#planned(item, node, target));
  }

  #planned({ selected: { tree }, digests }: SelectedItem, node: SourceNode, path: BytePath): Planned {
    const { owner, mode } = this.#attributes;
    const own = tree.keepsOwners ? node.entry : { uid: 0, gid: 0 };
    const uid = owner?.uid ?? own.uid;
    const gid = owner?.gid ?? own.gid;
    const linkId = node.linkId === undefined ? undefined : `${this.#index} ${node.linkId}`;
    const { entry } = node;
    if (entry.type === 'symlink') return { entry: { ...entry, path, uid, gid }, from: undefined, linkId };
    const bits = applyFileMode(mode, entry.mode, entry.type === 'directory');
    if (entry.type !== 'file')
      return { entry: { ...entry, path, uid, gid, mode: bits }, from: undefined, linkId };
    const digest = digests.get(entry.path);
    if (digest === undefined) throw new Error(`Internal error: ${textOf(entry.path)} was not hashed`);
    const { type, mtime, size, xattrs } = entry;
    const file: FileEntry = { type, path, mode: bits, uid, gid, mtime, size, digest };
    return {
      entry: xattrs === undefined ? file : { ...file, xattrs },
      from: { kind: 'source', tree, node, digest },
      linkId,
    };
  }

  /** A file that lies in no tree: one of the Dockerfile, or of a URL, which belongs to its owner alone. */
  #putFile(path: BytePath, item: Extract<CopyItem, { kind: 'inline' | 'remote' }>): void {
    if (this.#to.lookup(path)?.type === 'directory') {
      throw new DestinationError(`cannot replace to directory /${textOf(path)} with file`);
    }
    const { owner, mode, now } = this.#attributes;
    const { uid, gid } = owner ?? { uid: 0, gid: 0 };
    if (item.kind === 'inline') {
      const { bytes } = item;
      const digest = digestOf(bytes);
      const bits = applyFileMode(mode, 0o644, false);
      const entry = { path, mode: bits, uid, gid, mtime: now, size: bytes.length, digest };
      this.#to.put({
        entry: { type: 'file', ...entry },
        from: { kind: 'bytes', bytes, digest },
        linkId: undefined,
      });
      return;
    }
    const { digest, size, mtime, path: at } = item.file;
    const entry = { path, mode: applyFileMode(mode, 0o600, false), uid, gid, mtime, size, digest };
    this.#to.put({
      entry: { type: 'file', ...entry },
      from: { kind: 'file', path: at, digest },
      linkId: undefined,
    });
  }
}

/** Whether it is the contents of a folder that are copied, which go to the destination itself. */
function isFolderItem(item: CopyItem): boolean {
  if (item.kind === 'inline' || item.kind === 'remote') return false;
  const { node, parents } = item.selected;
  return parents === undefined && node.entry.type === 'directory';
}

type UnpackedItem = Extract<CopyItem, { kind: 'unpacked' }>;
type SelectedItem = Exclude<CopyItem, { kind: 'inline' | 'remote' }>;
