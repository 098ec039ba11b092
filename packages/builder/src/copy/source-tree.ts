import type { Digest } from '@caisson/oci';
import type { IgnoreLine } from '../context/ignore-rules.ts';
import type { FolderLists } from './folder-lists.ts';
import type { BytePath, Content, NodeEntry } from '@caisson/layer';

/** Something that COPY can take. */
export interface SourceNode {
  /** What it is, by the path that it has in its tree. */
  readonly entry: NodeEntry;
  /** The same for all names of one file; undefined for a file with one name. */
  readonly linkId: string | undefined;
}

/** How a folder looked with all that is in it, at whatever depth. */
export interface FolderLook {
  /** Where it is the same, so are the names, the attributes, the times and the bytes of all that is in the folder. */
  readonly text: string;
  /** The folders in it. */
  readonly folders: readonly BytePath[];
}

/** A line of an ignore file that hides something. */
export interface HidingRule extends IgnoreLine {
  /** The ignore file, as people call it. */
  readonly file: string;
}

/** Where COPY takes files from: the context, or a state of another stage or image. */
export interface SourceTree {
  /** What people call it: `the build context`, `stage build`. */
  readonly title: string;
  /** Whether the owners of files are those of the image. Files of a context belong to root there. */
  readonly keepsOwners: boolean;
  /** What its folders count as, for a tree that lasts longer than one selection. */
  readonly lists?: FolderLists | undefined;
  /** Puts into `lists` what is known from earlier builds of a folder and those in it, as far as it is still so. */
  recall?(folder: BytePath, signal: AbortSignal): Promise<void>;
  /** How a folder looked that counts as `lists` say; undefined where that is not certain. */
  readonly look?: ((folder: BytePath) => FolderLook | undefined) | undefined;
  /** What lies at a path whose parents are folders; links are not followed. */
  lookup(path: BytePath): SourceNode | undefined;
  /** What lies in a folder, bytewise by name. */
  children(folder: BytePath): readonly SourceNode[];
  /** The digests of the bytes of files, in the order in which they are given. */
  digests(files: readonly SourceNode[], signal: AbortSignal): Promise<readonly Digest[]>;
  /** Where the bytes of a file lie. */
  content(file: SourceNode): Promise<Content>;
  /** The rule that hides something that is there; undefined where nothing is hidden. To say so when it is asked for. */
  hiddenBy(path: BytePath): HidingRule | undefined;
  /** Told when the bytes of a file turned out to be others than they were looked up with. */
  correct(file: SourceNode, digest: Digest): void;
}
