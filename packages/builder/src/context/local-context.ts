import { readFileSync } from 'node:fs';
import type { FileStats } from '@caisson/sys';
import { digestOf, type Digest } from '@caisson/oci';
import {
  baseName,
  childOf,
  fsPath,
  hostPath,
  inFolder,
  parentOf,
  ROOT,
  textOf,
  type BytePath,
  type Content,
  type HostPath,
  type NodeEntry,
} from '@caisson/layer';
import { FolderLists } from '../copy/folder-lists.ts';
import type { HidingRule, SourceNode, SourceTree } from '../copy/source-tree.ts';
import { FileProgress, type FilesSoFar } from '../file-progress.ts';
import type { ContextModes } from './context-modes.ts';
import { ContextNode } from './context-node.ts';
import { hashFiles, type FileToHash } from './file-digests.ts';
import { FolderScans } from './folder-scans.ts';
import { HostFiles } from './host-files.ts';
import type { IgnoreRules } from './ignore-rules.ts';
import { RecalledLists } from './recalled-lists.ts';
import { SeenNodes } from './seen-nodes.ts';
import { fileStat, inodeOf, StatCache, type FileMemory, type ListMemory } from './stat-cache.ts';
import { WalkProgress, type WalkSoFar } from '../walk-progress.ts';

/** A file that is read again rather than thought about, in bytes. */
const SMALL = 1 << 20;

/** What a socket of the context arrives as. */
const EMPTY_FILE = digestOf('');

/**
 * A folder of the host as a context of a build. Files are looked at where they lie, when something asks for them:
 * folders that no step selects are never entered, and a file whose stat is as it was is not read again.
 */
export class LocalContext implements SourceTree {
  readonly title: string;
  readonly keepsOwners = false;
  readonly root: HostPath;
  /** Where it is, in text. */
  readonly folder: string;
  /** What is not part of it. */
  readonly rules: IgnoreRules;
  readonly #modes: ContextModes;
  readonly #files: HostFiles;
  readonly #cache: StatCache;
  /** For a context of one build: its folders are looked at once, and nobody asks whether they changed since. */
  readonly #once: { readonly scans: FolderScans; readonly recalled: RecalledLists } | undefined;
  readonly #seen = new SeenNodes({
    look: (path) => this.#look(path),
    names: (folder) => this.#files.names(folder),
  });
  readonly lists = new FolderLists();
  readonly look: SourceTree['look'];
  /** Told how far it is when reading its files takes long. */
  onRead: (soFar: FilesSoFar) => void = () => {};
  /** Told how far it is when looking through its folders takes long. */
  onWalk: (soFar: WalkSoFar) => void = () => {};
  #walk = new WalkProgress((soFar) => this.onWalk(soFar));
  readonly #reading = new FileProgress((soFar) => this.onRead(soFar));

  /**
   * @param title what people call it
   * @param folder absolute
   * @param memory what is known of its files
   * @param modes what the modes of its files count as
   * @param lists for a context of one build, which is never told of changes: what is known of its folders
   */
  constructor(
    title: string,
    folder: string,
    rules: IgnoreRules,
    memory: FileMemory | StatCache,
    modes: ContextModes = 'exact',
    lists?: ListMemory,
  ) {
    this.#modes = modes;
    this.title = title;
    this.folder = folder;
    this.root = hostPath(folder);
    this.rules = rules;
    const once = lists && this.#lookingOnce(lists);
    this.#once = once;
    this.look = once && ((path) => once.recalled.look(path));
    this.#files = new HostFiles(folder, modes, this.#once?.scans);
    this.#cache = memory instanceof StatCache ? memory : new StatCache(folder, memory);
  }

  /** The same folder, of which nothing was looked at yet. */
  lookAnew(): LocalContext {
    return new LocalContext(this.title, this.folder, this.rules, this.#cache, this.#modes);
  }

  lookup(path: BytePath): SourceNode | undefined {
    return this.#seen.node(path);
  }

  children(folder: BytePath): readonly SourceNode[] {
    const children = this.#seen.children(folder);
    this.#once?.recalled.saw(folder, children);
    return children;
  }

  async recall(folder: BytePath, signal: AbortSignal): Promise<void> {
    await this.#once?.recalled.recall(folder, (count) => this.#walk.note(count), signal);
  }

  async digests(files: readonly SourceNode[], signal: AbortSignal): Promise<readonly Digest[]> {
    const nodes = files.map((file) => this.#own(file));
    const unknown = nodes.filter((node) => {
      if (node.stat === undefined) return false;
      node.digest ??= this.#cache.get(node.entry.path, node.stat);
      return node.digest === undefined;
    });
    const readAt = BigInt(Date.now()) * 1_000_000n;
    const toHash = unknown.map(({ entry }) => this.#toHash(entry));
    using reading = this.#reading.begin(
      toHash.length,
      toHash.reduce((sum, { size }) => sum + size, 0),
    );
    const digests = await hashFiles(toHash, signal, reading.advance);
    for (const [index, node] of unknown.entries()) {
      node.digest = digests[index];
      if (node.stat === undefined || node.digest === undefined) continue;
      this.#cache.learn(node.entry.path, node.stat, node.digest, readAt);
    }
    return nodes.map(({ digest, stat, entry }) => {
      const known = stat === undefined ? EMPTY_FILE : digest;
      if (known === undefined) throw new Error(`Internal error: ${textOf(entry.path)} was not hashed`);
      return known;
    });
  }

  content(file: SourceNode): Promise<Content> {
    const { stat, entry } = this.#own(file);
    return Promise.resolve(
      stat === undefined
        ? { kind: 'bytes', bytes: new Uint8Array() }
        : { kind: 'file', path: inFolder(this.root, entry.path) },
    );
  }

  correct(file: SourceNode, digest: Digest): void {
    this.#own(file).digest = digest; // until it is told to have changed
    this.lists.forget(parentOf(file.entry.path));
  }

  /** Keeps what was learned of files for later builds. Told when a build, and so its records, are done. */
  save(): void {
    this.#cache.save();
    this.#once?.recalled.save();
    this.lists.kept();
  }

  /**
   * Forgets what may not be so any more, for the next build: that looks at those paths, at the folders above and at what
   * is below them, and at nothing else. The context and all that it gave must not be in use. A file that has another
   * name outside the context may be written under that name without anybody telling: only `everything` finds that.
   * @param changed absolute paths of the host: of all that was made, written, renamed (both names) or removed since it
   * was looked at, as the kernel tells of them, no link followed; or everything, where some changes were not told
   */
  refresh(changed: Iterable<string> | 'everything'): void {
    if (changed === 'everything') {
      this.#seen.clear();
      this.lists.clear();
      return;
    }
    const paths = [...changed].map((path) => this.pathOf(path)).filter((path) => path !== undefined);
    for (const path of [...paths, ...this.#otherNames(paths)]) this.#forget(path);
  }

  /**
   * Whether something may be other than it was when it was looked at, or be where nothing was.
   * @param path absolute, of the host
   * @param unseen the answer for what was not looked at
   */
  hasChanged(path: string, unseen: boolean): boolean {
    const at = this.pathOf(path);
    if (at === undefined) return false;
    if (at === ROOT) return !this.#seen.isEmpty || unseen; // it may be another folder by now
    const known = this.#seen.seenIn(parentOf(at));
    if (known === undefined) return unseen || this.#seen.mayAppearIn(parentOf(at));
    const node = known.get(baseName(at));
    const stats = this.#files.stat(at);
    if (node === undefined || stats === undefined) return node !== undefined || stats !== undefined;
    return !this.#isAs(node, stats);
  }

  #isAs({ entry, stat, digest }: ContextNode, stats: FileStats): boolean {
    const { path } = entry;
    if (stat !== undefined) {
      if (fileStat(stats) !== stat) return false;
      if (digest === undefined || this.#cache.get(path, stat) === digest) return true;
      // It was read so soon after it was written that another write may have left the same times.
      return stats.size <= SMALL && digestOf(readFileSync(fsPath(inFolder(this.root, path)))) === digest;
    }
    const now = this.#files.entry(path, stats);
    if (now.type !== entry.type || now.mode !== entry.mode) return false;
    return now.type === 'symlink' && entry.type === 'symlink' ? now.target === entry.target : true;
  }

  /** Where in the context an absolute path of the host is; for a name that is no text, the folder that it is in. */
  pathOf(path: string): BytePath | undefined {
    return this.#files.pathOf(path);
  }

  /** Whether the ignore file lets something be part of the context, were it there. */
  mayHave(path: BytePath, kind: 'file' | 'folder'): boolean {
    const text = textOf(path);
    if (path === ROOT || !this.rules.ignores(text)) return true;
    return kind === 'folder' && this.rules.mayContainIncluded(text);
  }

  #forget(path: BytePath): void {
    this.#seen.forget(path, (folder) => {
      this.lists.forget(folder);
      if (this.#files.stat(folder) === undefined) this.#cache.forgetFolder(folder);
    });
    this.lists.forget(path);
  }

  /** The names of files that have several, and of those that have got a second one among the changed. */
  #otherNames(changed: readonly BytePath[]): BytePath[] {
    const inodes = new Set(changed.flatMap((path) => [...this.#linkedInodes(path)]));
    return this.#seen.namesOfLinked(inodes);
  }

  /** The inodes with several names at a path and below. */
  *#linkedInodes(path: BytePath): Generator<string> {
    const stats = this.#files.stat(path);
    if (stats === undefined) return;
    if (!stats.isDirectory()) {
      if (stats.nlink > 1n) yield inodeOf(fileStat(stats));
      return;
    }
    if (!this.mayHave(path, 'folder')) return;
    for (const name of this.#files.namesIfThere(path)) yield* this.#linkedInodes(childOf(path, name));
  }

  hiddenBy(path: BytePath): HidingRule | undefined {
    if (this.#seen.node(path) !== undefined || this.#files.stat(path) === undefined) return undefined;
    const line = this.rules.explain(textOf(path));
    return line === undefined ? undefined : { ...line, file: this.rules.path };
  }

  #lookingOnce(memory: ListMemory): { readonly scans: FolderScans; readonly recalled: RecalledLists } {
    const scans = new FolderScans(this.root);
    const recalled = new RecalledLists({
      folder: this.folder,
      rules: this.rules,
      modes: this.#modes,
      memory,
      scans,
      lists: this.lists,
      mayHave: (path, kind) => this.mayHave(path, kind),
      agrees: (path) => this.#agrees(path),
    });
    return { scans, recalled };
  }

  /** Whether what was looked at in a folder is as another look finds it. */
  #agrees(folder: BytePath): boolean {
    return [...(this.#seen.seenIn(folder) ?? [])].every(([name, node]) => {
      const now = this.#look(childOf(folder, name));
      return node === undefined || now === undefined ? node === now : node.isAs(now);
    });
  }

  #toHash(entry: NodeEntry): FileToHash {
    return { path: inFolder(this.root, entry.path), size: entry.type === 'file' ? entry.size : 0 };
  }

  #own(file: SourceNode): ContextNode {
    const node = file instanceof ContextNode ? file : this.#seen.node(file.entry.path);
    if (node === undefined)
      throw new Error(`Internal error: ${textOf(file.entry.path)} is not in the context`);
    return node;
  }

  #look(path: BytePath): ContextNode | undefined {
    this.#walk.note(1);
    const stats = this.#files.stat(path);
    if (stats === undefined) this.#cache.forget(path);
    if (stats === undefined || (path !== ROOT && this.#isIgnored(path, stats))) return undefined;
    const linkId = stats.nlink > 1n && !stats.isDirectory() ? `${stats.dev}:${stats.ino}` : undefined;
    const stat = stats.isFile() ? fileStat(stats) : undefined;
    return new ContextNode(this.#files.entry(path, stats), linkId, stat);
  }

  /** An ignored folder is there all the same if something below it is included again. */
  #isIgnored(path: BytePath, stats: FileStats): boolean {
    if (!this.rules.ignores(textOf(path))) return false;
    if (!stats.isDirectory() || !this.mayHave(path, 'folder')) return true;
    return this.#files.names(path).every((name) => this.#seen.node(childOf(path, name)) === undefined);
  }
}
