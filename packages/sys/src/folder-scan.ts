import { constants, type BigIntStats } from 'node:fs';
import { deviceNumber } from './file-system.ts';

/**
 * What is kept of a stat, and where: in words of four bytes. What takes two of them begins at an even one, and is as
 * the machine has it.
 */
export const KEPT = {
  mode: 0,
  nlink: 1,
  ino: 2,
  bytes: 4,
  mtime: 6,
  ctime: 8,
  mtimeNs: 10,
  ctimeNs: 11,
  devMajor: 12,
  devMinor: 13,
  rdevMajor: 14,
  rdevMinor: 15,
  uid: 16,
  gid: 17,
  size: 18,
} as const;
const WIDE = 8;
const SECOND = 1_000_000_000n;

/** The stat of a file, as node:fs tells it with `bigint`. */
export type FileStats = Pick<
  BigIntStats,
  | 'dev'
  | 'ino'
  | 'mode'
  | 'nlink'
  | 'uid'
  | 'gid'
  | 'rdev'
  | 'size'
  | 'mtimeNs'
  | 'ctimeNs'
  | 'isFile'
  | 'isDirectory'
  | 'isSymbolicLink'
  | 'isFIFO'
  | 'isSocket'
  | 'isBlockDevice'
>;

/**
 * Everything in a folder, with the stat of each, as the folder lists them; no link is followed. All of it is two buffers:
 * so it can be compared with what there was without an object for each file.
 */
export class FolderScan {
  /** The names, each with a NUL behind it. */
  readonly names: Uint8Array;
  /** Of each its mode, owner, links, inode, size, times of content and of change, device. */
  readonly stats: Uint32Array;
  readonly #wide: BigInt64Array;
  #device = { major: -1, minor: -1, number: 0n };

  /** Use {@link scanFolder}. */
  constructor(names: Uint8Array, stats: Uint32Array) {
    this.names = names;
    this.stats = stats;
    this.#wide = new BigInt64Array(stats.buffer, stats.byteOffset, stats.byteLength / WIDE);
  }

  /** How many there are. */
  get count(): number {
    return this.stats.length / KEPT.size;
  }

  /** Their names, in the order of their stats: bytes, each a character. */
  list(): string[] {
    return Buffer.from(this.names).toString('latin1').split('\0').slice(0, this.count);
  }

  /** The stat of one of them. */
  at(index: number): FileStats {
    return new ScannedStats(this, index);
  }

  /** @internal */
  word(index: number, field: number): number {
    return this.stats[index * KEPT.size + field] ?? 0;
  }

  /** @internal */
  wide(index: number, field: number): bigint {
    return this.#wide[(index * KEPT.size + field) / 2] ?? 0n;
  }

  /** @internal Most often all have the same. */
  device(index: number): bigint {
    const major = this.word(index, KEPT.devMajor);
    const minor = this.word(index, KEPT.devMinor);
    if (this.#device.major !== major || this.#device.minor !== minor)
      this.#device = { major, minor, number: deviceNumber(major, minor) };
    return this.#device.number;
  }

  /**
   * Whether the last change of each of them was before a time.
   * @param time in milliseconds since 1970
   * @param coarse the same for those whose time of change has no parts of a second, as some file systems keep it
   */
  isOlderThan(time: number, coarse: number): boolean {
    for (let index = 0; index < this.count; index++) {
      const part = this.word(index, KEPT.ctimeNs);
      const at = Number(this.wide(index, KEPT.ctime)) * 1000 + part / 1e6;
      if (at >= (part === 0 ? coarse : time)) return false;
    }
    return true;
  }
}

/** What is known of one thing in a scanned folder. */
class ScannedStats implements FileStats {
  readonly #scan: FolderScan;
  readonly #index: number;

  constructor(scan: FolderScan, index: number) {
    this.#scan = scan;
    this.#index = index;
  }

  get mode(): bigint {
    return BigInt(this.#scan.word(this.#index, KEPT.mode));
  }

  get nlink(): bigint {
    return BigInt(this.#scan.word(this.#index, KEPT.nlink));
  }

  get uid(): bigint {
    return BigInt(this.#scan.word(this.#index, KEPT.uid));
  }

  get gid(): bigint {
    return BigInt(this.#scan.word(this.#index, KEPT.gid));
  }

  get ino(): bigint {
    return BigInt.asUintN(64, this.#scan.wide(this.#index, KEPT.ino));
  }

  get size(): bigint {
    return this.#scan.wide(this.#index, KEPT.bytes);
  }

  get mtimeNs(): bigint {
    return this.#time(KEPT.mtime, KEPT.mtimeNs);
  }

  get ctimeNs(): bigint {
    return this.#time(KEPT.ctime, KEPT.ctimeNs);
  }

  get dev(): bigint {
    return this.#scan.device(this.#index);
  }

  get rdev(): bigint {
    return deviceNumber(
      this.#scan.word(this.#index, KEPT.rdevMajor),
      this.#scan.word(this.#index, KEPT.rdevMinor),
    );
  }

  isFile(): boolean {
    return this.#isOf(constants.S_IFREG);
  }

  isDirectory(): boolean {
    return this.#isOf(constants.S_IFDIR);
  }

  isSymbolicLink(): boolean {
    return this.#isOf(constants.S_IFLNK);
  }

  isFIFO(): boolean {
    return this.#isOf(constants.S_IFIFO);
  }

  isSocket(): boolean {
    return this.#isOf(constants.S_IFSOCK);
  }

  isBlockDevice(): boolean {
    return this.#isOf(constants.S_IFBLK);
  }

  #isOf(type: number): boolean {
    return (this.#scan.word(this.#index, KEPT.mode) & constants.S_IFMT) === type;
  }

  #time(seconds: number, parts: number): bigint {
    return this.#scan.wide(this.#index, seconds) * SECOND + BigInt(this.#scan.word(this.#index, parts));
  }
}
