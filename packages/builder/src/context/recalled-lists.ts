import { baseName, childOf, cleanPath, parentOf, ROOT, type BytePath } from '@caisson/layer';
import { canonicalJson, digestOf, type Digest } from '@caisson/oci';
import type { KnownList } from '@caisson/store';
import type { FolderLists } from '../copy/folder-lists.ts';
import type { FolderLook } from '../copy/source-tree.ts';
import { Slices } from '../slices.ts';
import type { ContextModes } from './context-modes.ts';
import type { ContextNode } from './context-node.ts';
import { FolderLooks, type StampedFolder } from './folder-looks.ts';
import type { FolderScans } from './folder-scans.ts';
import type { IgnoreRules } from './ignore-rules.ts';
import type { ListMemory } from './stat-cache.ts';

/**
 * Raised when what a folder counts as is worked out in another way: lists (`copy/selection-digest.ts`), what an ignore file
 * hides, modes, what things of the host are in a context (`host-files.ts`).
 */
const FORM = 1;

/** What the lists of a context are recalled with. */
export interface RecalledParts {
  /** Absolute. */
  readonly folder: string;
  readonly rules: IgnoreRules;
  readonly modes: ContextModes;
  readonly memory: ListMemory;
  readonly scans: FolderScans;
  /** The lists of the build that runs: those that are recalled are put there, and kept from there. */
  readonly lists: FolderLists;
  /** Whether something may be part of the context, were it there. */
  readonly mayHave: (path: BytePath, kind: 'file' | 'folder') => boolean;
  /** Whether what was looked at in a folder is as it was when all of it was looked at. */
  readonly agrees: (folder: BytePath) => boolean;
}

/**
 * What the folders of a context counted as in earlier builds: a folder in which everything looks as it did counts as the same
 * without an object for each file.
 *
 * A folder is kept only where that is so for certain:
 * - it was looked at as a whole, everything in it had rested for a while by then, and what was looked at by itself before
 *   looked the same then;
 * - no name in it or below stands for a file met elsewhere (hard links), so that {@link FolderLists} has it;
 * - no folder in it is left out that would be part of the context, were something below it (`*` and `!*\/src/*.ts`).
 */
export class RecalledLists {
  readonly #parts: RecalledParts;
  readonly #view: string;
  #known: Known | undefined;
  /** The folders that were to be recalled: once is enough. */
  readonly #tried = new Set<BytePath>();
  /** Those that were: they look as they did. */
  readonly #recalled = new Set<BytePath>();
  /** Two steps that take the same files recall them one after the other: the second finds what the first did. */
  #running: Promise<void> = Promise.resolve();
  /** The folders of which all was looked at, and what is in them. */
  readonly #seen = new Map<BytePath, Seen>();
  readonly #looks = new FolderLooks((folder) => this.#stamped(folder));

  constructor(parts: RecalledParts) {
    this.#parts = parts;
    const { rules, modes } = parts;
    this.#view = digestOf(canonicalJson([FORM, modes, rules.text]));
  }

  /**
   * Looks at a folder and those in it that were kept, and recalls what they count as where that is still so.
   * @param onFolder told how much there is in each
   */
  async recall(folder: BytePath, onFolder: (count: number) => void, signal: AbortSignal): Promise<void> {
    const before = this.#running;
    const run = async (): Promise<void> => {
      await before;
      const slices = new Slices(signal);
      for (const _ of this.#recallIn(folder, onFolder)) if (slices.isOver) await slices.next();
    };
    const done = run();
    this.#running = done.catch(() => {}); // told to who asked
    await done;
  }

  *#recallIn(folder: BytePath, onFolder: (count: number) => void): Generator<undefined, Digest | undefined> {
    const recalled = this.#parts.lists.get(folder);
    if (recalled !== undefined || this.#tried.has(folder)) return recalled?.digest;
    this.#tried.add(folder);
    const { lists, below } = this.#recollect();
    const list = lists.get(folder);
    const inside = below.get(folder) ?? new Set<string>();
    if (list === undefined && inside.size === 0) return undefined;
    const { scans } = this.#parts;
    const scan = this.#seen.has(folder) ? undefined : scans.scan(folder);
    onFolder(scan?.count ?? 0);
    yield undefined;
    const isSame =
      list !== undefined && scan !== undefined && list.stamp === scans.stamp(folder) && this.#agrees(folder);
    const names = isSame ? list.folders.keys() : inside;
    let isAllSame = isSame;
    for (const name of names) {
      const digest = yield* this.#recallIn(childOf(folder, name), onFolder);
      if (digest === undefined || digest !== list?.folders.get(name)) isAllSame = false;
    }
    if (!isAllSame || list === undefined) return undefined;
    this.#parts.lists.set(folder, { digest: list.digest, text: undefined });
    this.#recalled.add(folder);
    return list.digest;
  }

  /** Told of what is in a folder, when all of it was looked at: how it looked is not needed any more then. */
  saw(folder: BytePath, children: readonly ContextNode[]): void {
    if (this.#seen.has(folder)) return;
    const { scans, lists } = this.#parts;
    const folders = children.filter(({ entry }) => entry.type === 'directory').map(({ entry }) => entry.path);
    const isToKeep =
      lists.get(folder) === undefined && // else it is kept already
      scans.isAtRest(folder) &&
      this.#agrees(folder) &&
      !this.#mayGrow(folder, children);
    this.#seen.set(folder, { stamp: isToKeep ? scans.stamp(folder) : undefined, folders });
    scans.forget(folder);
  }

  /** How a folder looked with all that is in it, where it is kept with its list, or was. */
  look(folder: BytePath): FolderLook | undefined {
    return this.#looks.of(folder);
  }

  #stamped(folder: BytePath): StampedFolder | undefined {
    const digest = this.#parts.lists.get(folder)?.digest;
    if (digest === undefined) return undefined;
    const recalled = this.#known?.lists.get(folder);
    if (recalled?.digest === digest && this.#recalled.has(folder))
      return { stamp: recalled.stamp, digest, names: [...recalled.folders.keys()] };
    const { stamp, folders = [] } = this.#seen.get(folder) ?? {};
    return stamp === undefined ? undefined : { stamp, digest, names: folders.map(baseName) };
  }

  #agrees(folder: BytePath): boolean {
    return !this.#parts.scans.isTouched(folder) || this.#parts.agrees(folder);
  }

  /** Whether something is there that is not part of the context, and may become one with nothing in the folder changed. */
  #mayGrow(folder: BytePath, children: readonly ContextNode[]): boolean {
    const { scans, mayHave } = this.#parts;
    const scan = scans.scan(folder);
    if (scan === undefined || scan.count === children.length) return false;
    const names = new Set(children.map(({ entry }) => baseName(entry.path)));
    return scan.list().some((name, index) => {
      if (names.has(name)) return false;
      return mayHave(childOf(folder, name), scan.at(index).isDirectory() ? 'folder' : 'file');
    });
  }

  /** Keeps what folders count as for later builds. */
  save(): void {
    const { memory, folder: root } = this.#parts;
    const changed = new Map<string, KnownList | undefined>();
    for (const [folder, seen] of this.#seen) {
      const list = this.#listOf(folder, seen);
      if (list !== undefined) changed.set(folder, list);
    }
    for (const folder of this.#gone()) changed.set(folder, undefined);
    if (changed.size > 0) memory.rememberLists(root, this.#view, changed);
  }

  #listOf(folder: BytePath, { stamp, folders }: Seen): KnownList | undefined {
    const { lists } = this.#parts;
    const list = lists.get(folder);
    // One without its text is kept as it is.
    if (stamp === undefined || list?.text === undefined) return undefined;
    const inside = new Map<string, Digest>();
    for (const path of folders) {
      const digest = lists.get(path)?.digest;
      if (digest === undefined) return undefined;
      inside.set(baseName(path), digest);
    }
    return { stamp, digest: list.digest, folders: inside };
  }

  /** The folders that were kept and are not there any more. */
  #gone(): Set<BytePath> {
    const gone = new Set<BytePath>();
    if (this.#known === undefined) return gone;
    const below = this.#known.below;
    const leave = (folder: BytePath): void => {
      gone.add(folder);
      for (const name of below.get(folder) ?? []) leave(childOf(folder, name));
    };
    for (const [folder, { folders }] of this.#seen) {
      const there = new Set(folders);
      for (const name of below.get(folder) ?? [])
        if (!there.has(childOf(folder, name))) leave(childOf(folder, name));
    }
    return gone;
  }

  /** What earlier builds kept: read when it is first asked for. */
  #recollect(): Known {
    if (this.#known !== undefined) return this.#known;
    const { memory, folder } = this.#parts;
    const lists = new Map<BytePath, KnownList>();
    const below = new Map<BytePath, Set<string>>();
    for (const [path, list] of memory.lists(folder, this.#view)) {
      lists.set(cleanPath(path), list);
      for (let at = cleanPath(path); at !== ROOT; at = parentOf(at)) {
        const names = below.get(parentOf(at)) ?? new Set();
        if (names.has(baseName(at))) break; // so are the folders above
        below.set(parentOf(at), names.add(baseName(at)));
      }
    }
    this.#known = { lists, below };
    return this.#known;
  }
}

/** What was seen of a folder. */
interface Seen {
  /** Undefined where it may not be kept. */
  readonly stamp: string | undefined;
  /** The folders in it that are part of the context. */
  readonly folders: readonly BytePath[];
}

/** What earlier builds kept. */
interface Known {
  readonly lists: ReadonlyMap<BytePath, KnownList>;
  /** The names of the folders in a folder that are in `lists`, or have such in them. */
  readonly below: ReadonlyMap<BytePath, ReadonlySet<string>>;
}
