import type { BigIntStats } from 'node:fs';
import type { Digest } from '@caisson/oci';
import type { KnownFile } from '@caisson/store';

/** Remembers the digests of the files of a folder from build to build. */
export interface FileMemory {
  files(root: string): Map<string, KnownFile>;
  rememberFiles(root: string, files: ReadonlyMap<string, KnownFile>): void;
}

/** For a folder that is there for one build only. */
export const NO_MEMORY: FileMemory = { files: () => new Map(), rememberFiles: () => {} };

/**
 * Two writes within one tick of the kernel's clock leave the same time of change. A digest counts for later builds
 * only if the file had not changed for this long when it was hashed; where times are whole seconds, a tick is a second.
 */
const TICK_NS = 50_000_000n;
const COARSE_TICK_NS = 2_000_000_000n;

/** The digests of files by their stat: a file that looks as it did is not read again. */
export class StatCache {
  readonly #root: string;
  readonly #memory: FileMemory;
  #known: Map<string, KnownFile> | undefined;
  readonly #learned = new Map<string, KnownFile>();

  constructor(root: string, memory: FileMemory) {
    this.#root = root;
    this.#memory = memory;
  }

  /** The digest that a file had in an earlier build, if it has the stat that it had then. */
  get(path: string, stat: FileStat): Digest | undefined {
    this.#known ??= this.#memory.files(this.#root);
    const known = this.#known.get(path);
    return known?.stat === stat ? known.digest : undefined;
  }

  /**
   * Says what the digest of a file is that had this stat before it was read.
   * @param readAt when it was read, in nanoseconds since 1970
   */
  learn(path: string, stat: FileStat, digest: Digest, readAt: bigint): void {
    const changedAt = timeOfChange(stat);
    const tick = changedAt % 1_000_000_000n === 0n ? COARSE_TICK_NS : TICK_NS;
    if (readAt - changedAt > tick) this.#learned.set(path, { stat, digest });
  }

  /** Keeps what was learned for later builds. */
  save(): void {
    if (this.#learned.size === 0) return;
    this.#memory.rememberFiles(this.#root, this.#learned);
    this.#learned.clear();
  }
}

declare const fileStatBrand: unique symbol;

/** All of a file's stat that tells that it is as it was, as one text: of 100,000 files, each byte counts. */
export type FileStat = string & { readonly [fileStatBrand]: true };

/** What tells that a file is as it was. */
export function fileStat({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileStat {
  const text = `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  if (!isFileStat(text)) throw new Error('unreachable');
  return text;
}

function isFileStat(text: string): text is FileStat {
  return text.length > 0;
}

function timeOfChange(stat: FileStat): bigint {
  return BigInt(stat.slice(stat.lastIndexOf(' ') + 1));
}
