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
  readonly #lasting = new Map<string, KnownFile>();

  constructor(root: string, memory: FileMemory) {
    this.#root = root;
    this.#memory = memory;
  }

  /** The digest of a file that has this stat, if it is known. */
  get(path: string, stats: BigIntStats): Digest | undefined {
    const stat = statText(stats);
    const learned = this.#learned.get(path);
    if (learned?.stat === stat) return learned.digest;
    this.#known ??= this.#memory.files(this.#root);
    const known = this.#known.get(path);
    return known?.stat === stat ? known.digest : undefined;
  }

  /**
   * Says what the digest of a file is that had this stat before it was read.
   * @param readAt when it was read, in nanoseconds since 1970
   */
  learn(path: string, stats: BigIntStats, digest: Digest, readAt: bigint): void {
    const file = { stat: statText(stats), digest };
    this.#learned.set(path, file);
    const tick = stats.ctimeNs % 1_000_000_000n === 0n ? COARSE_TICK_NS : TICK_NS;
    if (readAt - stats.ctimeNs > tick) this.#lasting.set(path, file);
  }

  /** Keeps what was learned for later builds. */
  save(): void {
    if (this.#lasting.size === 0) return;
    this.#memory.rememberFiles(this.#root, this.#lasting);
    this.#lasting.clear();
  }
}

function statText({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
