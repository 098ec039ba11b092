import { lstatSync, readdirSync, type BigIntStats } from 'node:fs';
import { digestOf, type Digest } from '@caisson/oci';
import {
  childOf,
  fsPath,
  hostPath,
  inFolder,
  nodeEntry,
  ROOT,
  textOf,
  timeOf,
  type BytePath,
  type Content,
  type FileEntry,
  type HostPath,
} from '@caisson/layer';
import type { HidingRule, SourceNode, SourceTree } from '../copy/source-tree.ts';
import { hashFiles, type FileToHash } from './file-digests.ts';
import type { IgnoreRules } from './ignore-rules.ts';
import { StatCache, type FileMemory } from './stat-cache.ts';

interface ContextNode extends SourceNode {
  readonly stats: BigIntStats;
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
  readonly #cache: StatCache;
  readonly #nodes = new Map<BytePath, ContextNode | undefined>();
  readonly #lists = new Map<BytePath, readonly string[]>();

  /**
   * @param title what people call it
   * @param folder absolute
   */
  constructor(title: string, folder: string, rules: IgnoreRules, memory: FileMemory) {
    this.title = title;
    this.root = hostPath(folder);
    this.rules = rules;
    this.#cache = new StatCache(folder, memory);
  }

  lookup(path: BytePath): SourceNode | undefined {
    return this.#node(path);
  }

  list(folder: BytePath): readonly string[] {
    const known = this.#lists.get(folder);
    if (known !== undefined) return known;
    const all = readdirSync(fsPath(inFolder(this.root, folder)), 'latin1');
    const names = all.filter((name) => this.#node(childOf(folder, name)) !== undefined).toSorted();
    this.#lists.set(folder, names);
    return names;
  }

  async digests(files: readonly SourceNode[], signal: AbortSignal): Promise<readonly Digest[]> {
    const nodes = files.map(({ entry }) => this.#existing(entry.path));
    const unknown = nodes.filter(
      ({ entry, stats }) => stats.isFile() && this.#cache.get(entry.path, stats) === undefined,
    );
    const readAt = BigInt(Date.now()) * 1_000_000n;
    const digests = await hashFiles(
      unknown.map((node) => this.#toHash(node)),
      signal,
    );
    for (const [index, node] of unknown.entries()) {
      const digest = digests[index];
      if (digest !== undefined) this.#cache.learn(node.entry.path, node.stats, digest, readAt);
    }
    return nodes.map((node) => {
      const digest = node.stats.isFile() ? this.#cache.get(node.entry.path, node.stats) : EMPTY_FILE;
      if (digest === undefined) throw new Error(`Internal error: ${textOf(node.entry.path)} was not hashed`);
      return digest;
    });
  }

  content({ entry }: SourceNode): Promise<Content> {
    const isFile = this.#existing(entry.path).stats.isFile();
    return Promise.resolve(
      isFile
        ? { kind: 'file', path: inFolder(this.root, entry.path) }
        : { kind: 'bytes', bytes: new Uint8Array() },
    );
  }

  correct({ entry }: SourceNode, digest: Digest): void {
    const node = this.#existing(entry.path);
    this.#cache.learn(entry.path, node.stats, digest, node.stats.ctimeNs); // for this build only
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

  #toHash({ entry, stats }: ContextNode): FileToHash {
    return { path: inFolder(this.root, entry.path), size: Number(stats.size) };
  }

  #existing(path: BytePath): ContextNode {
    const node = this.#node(path);
    if (node === undefined) throw new Error(`Internal error: ${textOf(path)} is not in the context`);
    return node;
  }

  #node(path: BytePath): ContextNode | undefined {
    if (this.#nodes.has(path)) return this.#nodes.get(path);
    const node = this.#look(path);
    this.#nodes.set(path, node);
    return node;
  }

  #look(path: BytePath): ContextNode | undefined {
    const at = inFolder(this.root, path);
    const stats = lstatSync(fsPath(at), { bigint: true, throwIfNoEntry: false });
    if (stats === undefined || (path !== ROOT && this.#isIgnored(path, stats))) return undefined;
    const found = nodeEntry(at, path, stats, undefined);
    const linkId = stats.nlink > 1n && !stats.isDirectory() ? `${stats.dev}:${stats.ino}` : undefined;
    // A socket arrives as an empty file, as with docker.
    return { entry: { ...(found ?? emptyFile(path, stats)), uid: 0, gid: 0 }, linkId, stats };
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
