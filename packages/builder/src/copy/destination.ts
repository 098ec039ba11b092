import {
  bytesOf,
  joinPath,
  parentsOf,
  resolveInRoot,
  ROOT,
  textOf,
  type BytePath,
  type ChainView,
  type DirectoryEntry,
  type HostPath,
  type Kind,
  type NodeEntry,
} from '@caisson/layer';
import type { Digest } from '@caisson/oci';
import type { Time } from '@caisson/sys';
import type { FileMode } from './file-mode.ts';
import type { KeptEntry } from './kept-folders.ts';
import type { SourceNode, SourceTree } from './source-tree.ts';

/** What COPY gives to everything that it makes. */
export interface Attributes {
  /** Instead of the owner that the source has. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Instead of the mode that the source has, or how that changes. */
  readonly mode: FileMode | undefined;
  /** The time of folders that have no source. */
  readonly now: Time;
}

/** A path that COPY writes. */
export interface Planned {
  readonly entry: NodeEntry;
  /** Where a file's bytes come from; undefined for what has none, and for folders. */
  readonly from: PlannedContent | undefined;
  /** The same for all names that are to be one file. */
  readonly linkId: string | undefined;
}

export type PlannedContent =
  | {
      readonly kind: 'source';
      readonly tree: SourceTree;
      readonly node: SourceNode;
      readonly digest: Digest;
    }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly digest: Digest }
  | { readonly kind: 'file'; readonly path: HostPath; readonly digest: Digest };

/** Something is in the way. */
export class DestinationError extends Error {
  override readonly name = 'DestinationError';
}

/**
 * The tree that a COPY writes to: the state before, and over it what has been written so far. Paths are followed
 * inside the root as a process in the container would follow them.
 */
export class Destination {
  readonly #before: ChainView;
  readonly #written = new Map<BytePath, Planned>();
  readonly #kept: KeptEntry[] = [];
  /** Folders of the state before in whose place there is something else. */
  readonly #removed = new Set<BytePath>();

  constructor(before: ChainView) {
    this.#before = before;
  }

  /** What was taken as an earlier layer has it, in no order. */
  get kept(): Iterable<KeptEntry> {
    return this.#kept;
  }

  /** What was written besides, in no order. */
  get written(): Iterable<Planned> {
    return this.#written.values();
  }

  lookup(path: BytePath): NodeEntry | undefined {
    return this.#written.get(path)?.entry ?? this.before(path)?.node;
  }

  /** Takes away what is at a path, and what is in it. Something has to take its place. */
  remove(path: BytePath): void {
    const there = this.lookup(path);
    if (there === undefined) return;
    for (const written of there.type === 'directory' ? [...this.#written.keys()] : [path])
      if (written === path || parentsOf(written).includes(path)) this.#written.delete(written);
    if (this.#before.lookup(path)?.node.type === 'directory') this.#removed.add(path);
  }

  /** Where a path leads. @throws DestinationError where it goes through something that is no folder */
  resolve(path: string): BytePath {
    return this.resolveIn(ROOT, bytesOf(path), path);
  }

  /** Where a path of a folder leads that is the root for it. @param shown the path for messages @throws DestinationError */
  resolveIn(root: BytePath, path: string, shown: string): BytePath {
    const below = (at: BytePath): BytePath => joinPath(root, at);
    const resolved = resolveInRoot((at) => this.#kind(below(at)), path, 'follow');
    if (resolved.ok) return below(resolved.path);
    const where = `/${textOf(below(resolved.path))}`;
    const why =
      resolved.reason === 'not-a-directory' ? 'is not a directory' : 'leads round in a circle of symlinks';
    throw new DestinationError(`cannot copy to ${shown}: ${where} ${why}`);
  }

  #kind(path: BytePath): Kind | undefined {
    const entry = this.lookup(path);
    if (entry === undefined) return undefined;
    if (entry.type === 'symlink') return { type: 'symlink', target: entry.target };
    return { type: entry.type === 'directory' ? 'directory' : 'other' };
  }

  /** Makes a folder and those above it, where they are missing. The path must have been resolved. */
  makeFolders(path: BytePath, attributes: Attributes): void {
    for (const folder of path === ROOT ? [] : [...parentsOf(path), path]) {
      const there = this.lookup(folder);
      if (there === undefined) this.put(plannedFolder(folder, attributes, attributes.now));
      else if (there.type !== 'directory') {
        throw new DestinationError(`cannot copy to non-directory: /${textOf(folder)}`);
      }
    }
  }

  /** @throws DestinationError for a folder in the place of one that was removed */
  put(planned: Planned): void {
    const { path, type } = planned.entry;
    if (type === 'directory' && this.#removed.has(path))
      throw new DestinationError(
        `cannot make the folder /${textOf(path)}, which was replaced by a file before`,
      );
    this.#written.set(path, planned);
  }

  /** Takes what an earlier layer has in a folder that is new; nothing else is put there. */
  keep(entries: readonly KeptEntry[]): void {
    for (const entry of entries) this.#kept.push(entry);
  }

  /** What the state before has at a path, where that was not removed. */
  before(path: BytePath): ReturnType<ChainView['lookup']> {
    if (this.#removed.size > 0 && [...parentsOf(path), path].some((each) => this.#removed.has(each)))
      return undefined;
    return this.#before.lookup(path);
  }

  /** Whether these paths, and no others, were one file in the state before. */
  wereOneFile(paths: readonly BytePath[]): boolean {
    const all = paths.map((path) => this.before(path));
    const [first] = all;
    return (
      first !== undefined &&
      this.#before.namesOf(first) === all.length &&
      all.every((found) => found?.layer === first.layer && found.node.path === first.node.path)
    );
  }
}

/** A folder that has no source. */
export function plannedFolder(path: BytePath, { owner, mode }: Attributes, mtime: Time): Planned {
  const { uid, gid } = owner ?? { uid: 0, gid: 0 };
  // As docker's engine makes it, which has the umask 022. A symbolic mode speaks of what is copied, not of what is made on the way.
  const bits = mode?.kind === 'octal' ? mode.mode & 0o755 : 0o755;
  const entry: DirectoryEntry = { type: 'directory', path, mode: bits, uid, gid, mtime };
  return { entry, from: undefined, linkId: undefined };
}
