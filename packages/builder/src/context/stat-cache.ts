import type { Digest } from '@caisson/oci';
import { baseName, parentOf, type BytePath } from '@caisson/layer';
import type { KnownFile, KnownList } from '@caisson/store';
import type { FileStats } from '@caisson/sys';

type KnownFiles = ReadonlyMap<string, KnownFile>;

/** Remembers the digests of the files of a folder and its folders, by name, from build to build. */
export interface FileMemory {
  files(root: string, folder: string): KnownFiles;
  rememberFiles(root: string, folders: ReadonlyMap<string, KnownFiles>): void;
}

/** Remembers what the folders of a context count as, by their paths in it, from build to build. */
export interface ListMemory {
  lists(root: string, view: string): ReadonlyMap<string, KnownList>;
  rememberLists(root: string, view: string, lists: ReadonlyMap<string, KnownList | undefined>): void;
}

/** For a folder that is there for one build only. */
export const NO_MEMORY: FileMemory & ListMemory = {
  files: () => new Map(),
  rememberFiles: () => {},
  lists: () => new Map(),
  rememberLists: () => {},
};

/**
 * Two writes within one tick of the kernel's clock leave the same time of change. A digest counts for later builds
 * only if the file had not changed for this long when it was hashed; where times are whole seconds, a tick is a second.
 */
export const TICK_MS = 50;
export const COARSE_TICK_MS = 2000;
const MS_NS = 1_000_000n;

/** The digests of files by their stat: a file that looks as it did is not read again. */
export class StatCache {
  readonly #root: string;
  readonly #memory: FileMemory;
  /** What was known when this process began, or is kept since, by folder. */
  readonly #known = new Map<BytePath, KnownFiles>();
  readonly #learned = new Map<BytePath, Map<string, KnownFile>>();

  constructor(root: string, memory: FileMemory) {
    this.#root = root;
    this.#memory = memory;
  }

  /** The digest that a file had when it was last read, if it has the stat that it had then. */
  get(path: BytePath, stat: FileStat): Digest | undefined {
    const known = this.#filesIn(parentOf(path)).get(baseName(path));
    return known?.stat === stat ? known.digest : undefined;
  }

  /** Forgets a file that is gone. */
  forget(path: BytePath): void {
    if (this.#filesIn(parentOf(path)).has(baseName(path)))
      this.#toChange(parentOf(path)).delete(baseName(path));
  }

  /** Forgets the files of a folder that is gone. */
  forgetFolder(folder: BytePath): void {
    if (this.#learned.has(folder) || this.#known.has(folder)) this.#learned.set(folder, new Map());
  }

  /**
   * Says what the digest of a file is that had this stat before it was read.
   * @param readAt when it was read, in nanoseconds since 1970
   */
  learn(path: BytePath, stat: FileStat, digest: Digest, readAt: bigint): void {
    const changedAt = timeOfChange(stat);
    const tick = changedAt % (1000n * MS_NS) === 0n ? COARSE_TICK_MS : TICK_MS;
    if (readAt - changedAt <= BigInt(tick) * MS_NS) return;
    this.#toChange(parentOf(path)).set(baseName(path), { stat, digest });
  }

  /** Keeps what was learned for later builds. */
  save(): void {
    if (this.#learned.size === 0) return;
    this.#memory.rememberFiles(this.#root, this.#learned);
    for (const [folder, files] of this.#learned) {
      if (files.size === 0) this.#known.delete(folder);
      else this.#known.set(folder, files);
    }
    this.#learned.clear();
  }

  #filesIn(folder: BytePath): KnownFiles {
    return this.#learned.get(folder) ?? this.#knownIn(folder);
  }

  #toChange(folder: BytePath): Map<string, KnownFile> {
    const files = this.#learned.get(folder) ?? new Map(this.#knownIn(folder));
    this.#learned.set(folder, files);
    return files;
  }

  #knownIn(folder: BytePath): KnownFiles {
    const known = this.#known.get(folder) ?? this.#memory.files(this.#root, folder);
    this.#known.set(folder, known);
    return known;
  }
}

declare const fileStatBrand: unique symbol;

/** All of a file's stat that tells that it is as it was, as one text: of 100,000 files, each byte counts. */
export type FileStat = string & { readonly [fileStatBrand]: true };

/** What tells that a file is as it was. */
export function fileStat({
  dev,
  ino,
  size,
  mtimeNs,
  ctimeNs,
}: Pick<FileStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>): FileStat {
  const text = `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  if (!isFileStat(text)) throw new Error('unreachable');
  return text;
}

/** Which file of the host it is, whatever its name. */
export function inodeOf(stat: FileStat): string {
  return stat.slice(0, stat.indexOf(' ', stat.indexOf(' ') + 1));
}

function isFileStat(text: string): text is FileStat {
  return text.length > 0;
}

function timeOfChange(stat: FileStat): bigint {
  return BigInt(stat.slice(stat.lastIndexOf(' ') + 1));
}
