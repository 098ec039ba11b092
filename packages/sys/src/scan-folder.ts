import { closeSync, constants, openSync } from 'node:fs';
import { FolderScan, KEPT } from './folder-scan.ts';
import { addressOf, type Path } from './libc.ts';
import { errorCode } from './syscall-error.ts';
import { systemCall } from './system-call.ts';

const getdents = systemCall('getdents64', 'int fd, uint8_t *buffer, size_t size');
const statx = systemCall('statx', 'int fd, uint64_t name, int flags, uint32_t mask, uint8_t *buffer');

const AT_SYMLINK_NOFOLLOW = 0x100;
const STATX_BASIC_STATS = 0x7ff;

/** What getdents64(2) writes: where in an entry its length and its name are, in bytes. */
const DIRENT = { length: 16, name: 19 } as const;
const DIRENTS_SIZE = 64 * 1024;
const NUL = 0;
const DOT = 0x2e;

/** What statx(2) writes, in words of four bytes; of what takes two, the first. */
const STATX = {
  nlink: 4,
  uid: 5,
  gid: 6,
  mode: 7,
  ino: 8,
  bytes: 10,
  ctime: 24,
  ctimeNs: 26,
  mtime: 28,
  mtimeNs: 30,
  rdevMajor: 32,
  rdevMinor: 33,
  devMajor: 34,
  devMinor: 35,
  size: 64,
} as const;
/** The other half of the word of the mode is spare. */
const MODE_MASK = 0xffff;

/** Where each word that is kept comes from, in their order. */
const FROM = [
  STATX.mode,
  STATX.nlink,
  STATX.ino,
  STATX.ino + 1,
  STATX.bytes,
  STATX.bytes + 1,
  STATX.mtime,
  STATX.mtime + 1,
  STATX.ctime,
  STATX.ctime + 1,
  STATX.mtimeNs,
  STATX.ctimeNs,
  STATX.devMajor,
  STATX.devMinor,
  STATX.rdevMajor,
  STATX.rdevMinor,
  STATX.uid,
  STATX.gid,
];

/**
 * Looks at all that is in a folder, getdents64(2) and statx(2). What goes away meanwhile is not in it.
 * @throws Error with the code of what could not be done
 */
export function scanFolder(path: Path): FolderScan {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const fd = openSync(typeof path === 'string' ? path : Buffer.from(path), flags);
  try {
    return new Scanner().scan(fd);
  } finally {
    closeSync(fd);
  }
}

/** What entries and stats are read to, one folder after another. */
interface Buffers {
  readonly entries: Buffer;
  readonly entriesAt: number;
  readonly stat: Buffer;
  readonly words: Uint32Array;
}

let made: Buffers | undefined;

function makeBuffers(): Buffers {
  const entries = Buffer.alloc(DIRENTS_SIZE);
  const words = new Uint32Array(STATX.size);
  return { entries, entriesAt: Number(addressOf(entries)), stat: Buffer.from(words.buffer), words };
}

class Scanner {
  readonly #buffers: Buffers = (made ??= makeBuffers());
  #names = Buffer.allocUnsafe(1 << 12);
  #namesSize = 0;
  #stats = new Uint32Array(1 << 10);
  #statsSize = 0;

  scan(fd: number): FolderScan {
    const { entries } = this.#buffers;
    for (;;) {
      const size = getdents([fd, entries, entries.length]);
      if (size === 0) break;
      for (let at = 0; at < size; at += entries.readUInt16LE(at + DIRENT.length))
        this.#take(fd, at + DIRENT.name);
    }
    return new FolderScan(
      Uint8Array.prototype.slice.call(this.#names, 0, this.#namesSize),
      this.#stats.slice(0, this.#statsSize),
    );
  }

  #take(fd: number, start: number): void {
    const { entries, entriesAt, stat } = this.#buffers;
    const end = entries.indexOf(NUL, start);
    if (isSelfOrParent(entries, start, end)) return;
    try {
      statx([fd, entriesAt + start, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, stat]);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return;
      throw error;
    }
    this.#keepName(start, end + 1);
    this.#keepStat();
  }

  #keepName(start: number, end: number): void {
    const { entries } = this.#buffers;
    while (this.#namesSize + end - start > this.#names.length)
      this.#names = Buffer.concat([this.#names], 2 * this.#names.length);
    this.#namesSize += entries.copy(this.#names, this.#namesSize, start, end);
  }

  #keepStat(): void {
    const { words } = this.#buffers;
    if (this.#statsSize + KEPT.size > this.#stats.length) {
      const larger = new Uint32Array(2 * this.#stats.length);
      larger.set(this.#stats);
      this.#stats = larger;
    }
    const to = this.#stats;
    const at = this.#statsSize;
    for (let field = 0; field < KEPT.size; field++) to[at + field] = words[FROM[field] ?? 0] ?? 0;
    to[at + KEPT.mode] = (words[STATX.mode] ?? 0) & MODE_MASK;
    this.#statsSize += KEPT.size;
  }
}

function isSelfOrParent(entries: Buffer, start: number, end: number): boolean {
  const size = end - start;
  return entries[start] === DOT && (size === 1 || (size === 2 && entries[start + 1] === DOT));
}
