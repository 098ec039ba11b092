import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import {
  errorCode,
  FILE_TYPE,
  inUserNamespace,
  makeNode,
  ownerError,
  setTimes,
  setTimesOf,
} from '@caisson/sys';
import { fsPath, inFolder, ROOT, textOf, type BytePath, type HostPath } from './byte-path.ts';
import {
  BARE_ROOT,
  type DeviceEntry,
  type DirectoryEntry,
  type FifoEntry,
  type FileEntry,
  type NodeEntry,
  type SymlinkEntry,
} from './entry.ts';
import { markOpaque, writeXattrs } from './xattrs.ts';

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const SPARSE_UNIT = 4096;
const COPY_CHUNK = 1 << 20;

/** The bytes of a file: all of another file, or, from an offset on, as many of it as the file has. */
export interface FilePart {
  readonly path: HostPath;
  /** In bytes. */
  readonly offset?: number;
}

/**
 * Writes the tree form of a layer: a folder that overlayfs takes as a lower. Every path it is given must have real
 * folders as parents, made through it: it looks at nothing.
 */
export class TreeWriter {
  readonly #root: HostPath;
  readonly #owner: Owner | undefined;

  /**
   * @param root an empty folder that nobody else writes to
   * @param isEmpty false where there are folders in it already: what is made in one may belong to the folder's group
   */
  constructor(root: HostPath, { isEmpty = true }: { readonly isEmpty?: boolean } = {}) {
    this.#root = root;
    this.#owner = isEmpty ? ownerOfNew(root) : undefined;
  }

  /** Makes a folder, closed to others until {@link finishDirectory} gives it its attributes. */
  makeDirectory(path: BytePath): void {
    mkdirSync(this.#at(path), 0o700);
  }

  /** Gives a folder its attributes, after everything in it was written. */
  finishDirectory(entry: DirectoryEntry): void {
    const at = this.#at(entry.path);
    this.#giveTo(at, entry);
    chmodSync(at, entry.mode);
    writeXattrs(inFolder(this.#root, entry.path), entry.xattrs);
    setTimes(at, entry.mtime);
  }

  /** Gives the root folder its owner and mode. */
  finishRoot(): void {
    const at = this.#at(ROOT);
    this.#giveTo(at, BARE_ROOT);
    chmodSync(at, BARE_ROOT.mode);
  }

  /**
   * Says to overlayfs that a folder hides what the layers below have in it.
   * @returns false where that cannot be said: only the kernel's root may, not that of a container
   */
  makeOpaque(folder: BytePath): boolean {
    try {
      markOpaque(inFolder(this.#root, folder));
      return true;
    } catch (error) {
      if (errorCode(error) !== 'EPERM') throw error;
      return false;
    }
  }

  /** Begins a regular file. */
  openFile(entry: FileEntry): FileWriter {
    return new FileWriter(inFolder(this.#root, entry.path), entry, !isOf(entry, this.#owner));
  }

  /** Makes a regular file with the content of another one. */
  copyFile(entry: FileEntry, { path, offset }: FilePart): void {
    if (offset !== undefined) {
      this.#copyPart(entry, path, offset);
      return;
    }
    const at = this.#at(entry.path);
    copyFileSync(fsPath(path), at, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    this.#giveTo(at, entry);
    chmodSync(at, entry.mode);
    writeXattrs(inFolder(this.#root, entry.path), entry.xattrs);
    setTimes(at, entry.mtime);
  }

  #copyPart(entry: FileEntry, path: HostPath, offset: number): void {
    const file = this.openFile(entry);
    const chunk = Buffer.allocUnsafe(Math.min(entry.size, COPY_CHUNK));
    const fd = openSync(fsPath(path), 'r');
    try {
      for (let done = 0; done < entry.size;) {
        const read = readSync(fd, chunk, 0, Math.min(chunk.length, entry.size - done), offset + done);
        if (read === 0) throw new Error(`Internal error: a layer ends before ${entry.path} does`);
        file.write(chunk.subarray(0, read));
        done += read;
      }
    } finally {
      closeSync(fd);
    }
    file.finish();
  }

  makeSymlink(entry: SymlinkEntry): void {
    const at = this.#at(entry.path);
    symlinkSync(Buffer.from(entry.target, 'latin1'), at);
    this.#giveTo(at, entry);
    writeXattrs(inFolder(this.#root, entry.path), entry.xattrs);
    setTimes(at, entry.mtime);
  }

  makeHardLink(path: BytePath, target: BytePath): void {
    linkSync(this.#at(target), this.#at(path));
  }

  /** Gives what was written other attributes. */
  changeAttributes(entry: Exclude<NodeEntry, DirectoryEntry>): void {
    const at = this.#at(entry.path);
    give(entry, ({ uid, gid }) => lchownSync(at, uid, gid));
    if (entry.type !== 'symlink') chmodSync(at, entry.mode);
    writeXattrs(inFolder(this.#root, entry.path), entry.xattrs); // another owner has taken capabilities away
    setTimes(at, entry.mtime);
  }

  makeSpecialFile(entry: DeviceEntry | FifoEntry): void {
    const at = this.#at(entry.path);
    if (entry.type === 'fifo') makeNode(at, FILE_TYPE.fifo | 0o600, { major: 0, minor: 0 });
    // Nobody could open the device: no mount has devices. So something that is hidden and removed like it will do.
    else if (inUserNamespace()) closeSync(openSync(at, NEW_FILE, 0o600));
    else makeNode(at, FILE_TYPE[entry.type] | 0o600, entry);
    this.#giveTo(at, entry);
    chmodSync(at, entry.mode);
    writeXattrs(inFolder(this.#root, entry.path), entry.xattrs);
    setTimes(at, entry.mtime);
  }

  /** Says to overlayfs that a path of the layers below is gone. */
  makeWhiteout(path: BytePath): void {
    makeNode(this.#at(path), FILE_TYPE.char, { major: 0, minor: 0 });
  }

  /** Takes away what was written at a path, with everything below it. */
  remove(path: BytePath): void {
    rmSync(this.#at(path), { recursive: true, force: true });
  }

  #giveTo(at: string | Buffer, entry: Owned): void {
    if (!isOf(entry, this.#owner)) give(entry, ({ uid, gid }) => lchownSync(at, uid, gid));
  }

  #at(path: BytePath): string | Buffer {
    return fsPath(inFolder(this.#root, path));
  }
}

type Owned = Owner & { readonly path: BytePath };

/** @throws Error with the code `UNMAPPED_ID` in a user namespace that lacks the owner */
function give(entry: Owned, change: (owner: Owner) => void): void {
  try {
    change(entry);
  } catch (error) {
    throw ownerError(error, textOf(entry.path), entry);
  }
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Whom new files in a folder belong to, where the folder leaves no doubt; most need no change of owner then. */
function ownerOfNew(folder: HostPath): Owner | undefined {
  const { uid, gid, mode } = lstatSync(fsPath(folder));
  const isOurs = uid === process.geteuid?.() && gid === process.getegid?.() && (mode & SET_GROUP_ID) === 0;
  return isOurs ? { uid, gid } : undefined;
}

const SET_GROUP_ID = 0o2000;

function isOf({ uid, gid }: Owner, owner: Owner | undefined): boolean {
  return uid === owner?.uid && gid === owner.gid;
}

/** Writes one regular file. Runs of zeros become holes. */
export class FileWriter {
  readonly #path: HostPath;
  readonly #entry: FileEntry;
  readonly #mustGive: boolean;
  readonly #fd: number;
  #position = 0;
  #endsInHole = false;

  /** @param mustGive whether the file belongs to somebody else than it should when it is made */
  constructor(path: HostPath, entry: FileEntry, mustGive: boolean) {
    this.#path = path;
    this.#entry = entry;
    this.#mustGive = mustGive;
    this.#fd = openSync(fsPath(path), NEW_FILE, 0o600);
  }

  write(chunk: Uint8Array): void {
    this.#endsInHole = chunk.length >= SPARSE_UNIT && isZeros(chunk);
    if (!this.#endsInHole) writeFully(this.#fd, chunk, this.#position);
    this.#position += chunk.length;
  }

  /** Leaves a hole. */
  skip(length: number): void {
    this.#endsInHole = true;
    this.#position += length;
  }

  /** Gives the file its attributes (the set-user-id bit after the owner, which would clear it) and closes it. */
  finish(): void {
    const { mode, xattrs, mtime } = this.#entry;
    if (this.#endsInHole) ftruncateSync(this.#fd, this.#position);
    if (this.#mustGive) give(this.#entry, ({ uid, gid }) => fchownSync(this.#fd, uid, gid));
    fchmodSync(this.#fd, mode);
    writeXattrs(this.#path, xattrs);
    setTimesOf(this.#fd, mtime);
    closeSync(this.#fd);
  }

  /** Closes the file as it is, for a tree that is given up. */
  abandon(): void {
    closeSync(this.#fd);
  }
}

const ZEROS = Buffer.alloc(1 << 20);

/** Whether a chunk is all zeros. */
export function isZeros(chunk: Uint8Array): boolean {
  if (chunk[0] !== 0) return false;
  for (let at = 0; at < chunk.length; at += ZEROS.length) {
    const part = chunk.subarray(at, at + ZEROS.length);
    if (Buffer.compare(part, ZEROS.subarray(0, part.length)) !== 0) return false;
  }
  return true;
}

/** Writes all of a chunk at a position: write(2) may take less. */
export function writeFully(fd: number, chunk: Uint8Array, position: number): void {
  let written = 0;
  while (written < chunk.length) {
    written += writeSync(fd, chunk, written, chunk.length - written, position + written);
  }
}
