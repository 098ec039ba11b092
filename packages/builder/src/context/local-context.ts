import { lstatSync, readdirSync, type BigIntStats } from 'node:fs';
import { digestOf, type Digest } from '@caisson/oci';
import {
  baseName,
  childOf,
  fsPath,
  hostPath,
  inFolder,
  nodeEntry,
  parentOf,
  ROOT,
  textOf,
  timeOf,
  type BytePath,
  type Content,
  type FileEntry,
  type HostPath,
  type NodeEntry,
} from '@caisson/layer';
import type { HidingRule, SourceNode, SourceTree } from '../copy/source-tree.ts';
import { withContextMode, type ContextModes } from './context-modes.ts';
import { hashFiles, type FileToHash } from './file-digests.ts';
import type { IgnoreRules } from './ignore-rules.ts';
import { fileStat, StatCache, type FileMemory, type FileStat } from './stat-cache.ts';

/** Something in the context. Its stat is not kept whole: there may be hundreds of thousands. */
class ContextNode implements SourceNode {
  readonly entry: NodeEntry;
  readonly linkId: string | undefined;
  /** Of a regular file. */
  readonly stat: FileStat | undefined;
  /** Of its bytes, as soon as it is known. */
  digest: Digest | undefined;

  constructor(entry: NodeEntry, linkId: string | undefined, stat: FileStat | undefined) {
    this.entry = entry;
    this.linkId = linkId;
    this.stat = stat;
  }
}

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
  /** What is not part of it. */
  readonly rules: IgnoreRules;
  readonly #modes: ContextModes;
  readonly #cache: StatCache;
  #top: ContextNode | undefined;
  /** By folder and name: short keys, which are there anyhow. */
  readonly #nodes = new Map<BytePath, Map<string, ContextNode | undefined>>();
  readonly #children = new Map<BytePath, readonly ContextNode[]>();

  /**
   * @param title what people call it
   * @param folder absolute
   * @param modes what the modes of its files count as
   */
  constructor(
    title: string,
    folder: string,
    rules: IgnoreRules,
    memory: FileMemory,
    modes: ContextModes = 'exact',
  ) {
    this.#modes = modes;
    this.title = title;
    this.root = hostPath(folder);
    this.rules = rules;
    this.#cache = new StatCache(folder, memory);
  }

  lookup(path: BytePath): SourceNode | undefined {
    return this.#node(path);
  }

  children(folder: BytePath): readonly SourceNode[] {
    const known = this.#children.get(folder);
    if (known !== undefined) return known;
    const names = readdirSync(fsPath(inFolder(this.root, folder)), 'latin1').toSorted();
    const children = names.map((name) => this.#child(folder, name)).filter((node) => node !== undefined);
    this.#children.set(folder, children);
    return children;
  }

  async digests(files: readonly SourceNode[], signal: AbortSignal): Promise<readonly Digest[]> {
    const nodes = files.map((file) => this.#own(file));
    const unknown = nodes.filter((node) => {
      if (node.stat === undefined) return false;
      node.digest ??= this.#cache.get(node.entry.path, node.stat);
      return node.digest === undefined;
    });
    const readAt = BigInt(Date.now()) * 1_000_000n;
    const digests = await hashFiles(
      unknown.map(({ entry }) => this.#toHash(entry)),
      signal,
    );
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
    this.#own(file).digest = digest; // for this build only
  }

  /** Keeps what was learned of files for later builds. */
  save(): void {
    this.#cache.save();
  }

  hiddenBy(path: BytePath): HidingRule | undefined {
    const at = fsPath(inFolder(this.root, path));
    if (this.#node(path) !== undefined || lstatSync(at, { throwIfNoEntry: false }) === undefined)
      return undefined;
    const line = this.rules.explain(textOf(path));
    return line === undefined ? undefined : { ...line, file: this.rules.path };
  }

  #toHash(entry: NodeEntry): FileToHash {
    return { path: inFolder(this.root, entry.path), size: entry.type === 'file' ? entry.size : 0 };
  }

  #own(file: SourceNode): ContextNode {
    const node = file instanceof ContextNode ? file : this.#node(file.entry.path);
    if (node === undefined)
      throw new Error(`Internal error: ${textOf(file.entry.path)} is not in the context`);
    return node;
  }

  #node(path: BytePath): ContextNode | undefined {
    if (path === ROOT) return (this.#top ??= this.#look(ROOT));
    return this.#child(parentOf(path), baseName(path));
  }

  #child(folder: BytePath, name: string): ContextNode | undefined {
    const nodes = this.#nodes.get(folder) ?? new Map<string, ContextNode | undefined>();
    this.#nodes.set(folder, nodes);
    if (nodes.has(name)) return nodes.get(name);
    const node = this.#look(childOf(folder, name));
    nodes.set(name, node);
    return node;
  }

  #look(path: BytePath): ContextNode | undefined {
    const at = inFolder(this.root, path);
    const stats = lstatSync(fsPath(at), { bigint: true, throwIfNoEntry: false });
    if (stats === undefined || (path !== ROOT && this.#isIgnored(path, stats))) return undefined;
    const found = nodeEntry(at, path, stats, undefined);
    const linkId = stats.nlink > 1n && !stats.isDirectory() ? `${stats.dev}:${stats.ino}` : undefined;
    // A socket arrives as an empty file, as with docker.
    const entry = withContextMode(found ?? emptyFile(path, stats), this.#modes);
    const stat = stats.isFile() ? fileStat(stats) : undefined;
    return new ContextNode({ ...entry, uid: 0, gid: 0 }, linkId, stat);
  }

  /** An ignored folder is there all the same if something below it is included again. */
  #isIgnored(path: BytePath, stats: BigIntStats): boolean {
    const text = textOf(path);
    if (!this.rules.ignores(text)) return false;
    if (!stats.isDirectory() || !this.rules.mayContainIncluded(text)) return true;
    const names = readdirSync(fsPath(inFolder(this.root, path)), 'latin1');
    return names.every((name) => this.#node(childOf(path, name)) === undefined);
  }
}

function emptyFile(path: BytePath, stats: BigIntStats): FileEntry {
  return {
    type: 'file',
    path,
    mode: Number(stats.mode & 0o7777n),
    uid: 0,
    gid: 0,
    mtime: timeOf(stats.mtimeNs),
    size: 0,
  };
}
