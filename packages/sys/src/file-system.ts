import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { cString, libcFunction, libcTask, type Path } from './libc.ts';
import { SyscallError } from './syscall-error.ts';

const syncfsTask = libcTask('int syncfs(int fd)');
const mknodFunction = libcFunction('int mknod(const void *path, uint32_t mode, uint64_t dev)');
const utimensat = libcFunction('int utimensat(int dirfd, const void *path, const int64_t *times, int flags)');
const futimens = libcFunction('int futimens(int fd, const int64_t *times)');
const SYNC_FILE_RANGE = 'int sync_file_range(int fd, int64_t offset, int64_t length, uint32_t flags)';
const syncFileRange = libcFunction(SYNC_FILE_RANGE);
const syncFileRangeTask = libcTask(SYNC_FILE_RANGE);
const SYNC_FILE_RANGE_WRITE = 2;
const chrootFunction = libcFunction('int chroot(const void *path)');

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;

/**
 * Writes everything that the file system of an open file still holds in memory to its disk, in a thread of its own.
 * @returns when it is there
 * @throws SyscallError `EIO` where not all of it could be written, for whatever reason
 */
export function syncFileSystem(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    syncfsTask([fd], (isFailed) => {
      if (isFailed) reject(new SyscallError('syncfs', constants.errno.EIO));
      else resolve();
    });
  });
}

/**
 * Begins to write everything that the file system of a folder still holds in memory to its disk, in a thread of its
 * own: who waits for that later has less to wait for. A hint, as {@link writeBack}.
 * @param after called when it is written
 */
export function beginSync(folder: string | Buffer, after: () => void = () => {}): void {
  let fd: number;
  try {
    fd = openSync(folder, 'r');
  } catch {
    return after(); // it is gone, or too much is open
  }
  syncfsTask([fd], () => {
    closeSync(fd);
    after();
  });
}

/** Where a part of a file begins and ends, in bytes. */
export interface FilePart {
  readonly start: number;
  readonly end: number;
}

/**
 * Gives a part of a file to its disk to write, and waits while that has enough to do. A hint: where it fails, it is written
 * later.
 */
export function writeBack(fd: number, { start, end }: FilePart): void {
  try {
    syncFileRange([fd, start, end - start, SYNC_FILE_RANGE_WRITE]);
  } catch {
    // Not every file system can.
  }
}

/** The same in a thread of its own. @param after called when the disk was given all of it */
export function beginWriteBack(path: string | Buffer, { start, end }: FilePart, after: () => void): void {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return after(); // it is gone
  }
  syncFileRangeTask([fd, start, end - start, SYNC_FILE_RANGE_WRITE], () => {
    closeSync(fd);
    after();
  });
}

/** What mknod(2) makes: S_IFIFO, S_IFCHR, S_IFBLK. */
export const FILE_TYPE = { fifo: 0o010000, char: 0o020000, block: 0o060000 } as const;

/** Makes a device node or a named pipe. `mode` is type and permissions; the umask applies. */
export function makeNode(
  path: Path,
  mode: number,
  device: { readonly major: number; readonly minor: number },
): void {
  mknodFunction([cString(path), mode, deviceNumber(device.major, device.minor)], path);
}

/** glibc's encoding of a device number, which the kernel's 64-bit stat structures use too. */
export function deviceNumber(major: number, minor: number): bigint {
  const a = BigInt(major);
  const b = BigInt(minor);
  return ((a & 0xfffff000n) << 32n) | ((a & 0xfffn) << 8n) | ((b & 0xffffff00n) << 12n) | (b & 0xffn);
}

/** The parts of a device number as `stat.rdev` gives it. */
export function splitDevice(device: bigint): { major: number; minor: number } {
  const major = ((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn);
  const minor = ((device >> 12n) & 0xffffff00n) | (device & 0xffn);
  return { major: Number(major), minor: Number(minor) };
}

/** A point in time, to the nanosecond: node:fs takes times as floating point numbers, which lose the last digits. */
export interface Time {
  /** Whole seconds since 1970, negative before. */
  readonly seconds: number;
  /** 0 to 999,999,999, counted forwards from `seconds`. */
  readonly nanoseconds: number;
}

/** Sets the times of a file, folder or symlink (of the link itself). */
export function setTimes(path: Path, { seconds, nanoseconds }: Time): void {
  const s = BigInt(seconds);
  const n = BigInt(nanoseconds);
  utimensat([AT_FDCWD, cString(path), new BigInt64Array([s, n, s, n]), AT_SYMLINK_NOFOLLOW], path);
}

/** Sets the times of an open file. */
export function setTimesOf(fd: number, { seconds, nanoseconds }: Time): void {
  const s = BigInt(seconds);
  const n = BigInt(nanoseconds);
  futimens([fd, new BigInt64Array([s, n, s, n])]);
}

/** Makes a folder the root of this process. */
export function changeRoot(path: Path): void {
  chrootFunction([cString(path)], path);
}
