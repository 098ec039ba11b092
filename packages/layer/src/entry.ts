import type { Digest } from '@caisson/oci';
import type { Time } from '@caisson/sys';
import { ROOT, type BytePath } from './byte-path.ts';

/** Extended attributes by name, as the bytes that they are. */
export type Xattrs = ReadonlyMap<string, Uint8Array>;

interface Named {
  readonly path: BytePath;
}

interface Attributes extends Named {
  /** Permission bits with set-user-id, set-group-id and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Time;
  /** Only those that layers keep: see xattrs.ts. */
  readonly xattrs?: Xattrs;
}

/** A regular file. */
export interface FileEntry extends Attributes {
  readonly type: 'file';
  /** In bytes. */
  readonly size: number;
  /** The sha256 of its bytes, where it is known. */
  readonly digest?: Digest;
  /** Where its bytes begin in the layer's uncompressed tar, where that is known. */
  readonly offset?: number;
}

/** A folder. */
export interface DirectoryEntry extends Attributes {
  readonly type: 'directory';
  /** Whether what lower layers have in this folder is hidden. Layers that we write never say so, those we read may. */
  readonly opaque?: boolean;
}

/** A symbolic link. Its target is kept as it is, whatever it says. */
export interface SymlinkEntry extends Attributes {
  readonly type: 'symlink';
  /** Bytes, each a character. */
  readonly target: string;
}

/** Another name of a file (or symlink, device or pipe) of the same layer; that has the attributes. */
export interface HardLinkEntry extends Named {
  readonly type: 'hardlink';
  readonly target: BytePath;
}

/** A device node. */
export interface DeviceEntry extends Attributes {
  readonly type: 'char' | 'block';
  readonly major: number;
  readonly minor: number;
}

/** A named pipe. */
export interface FifoEntry extends Attributes {
  readonly type: 'fifo';
}

/** Says that a path of the layers below is gone. */
export interface WhiteoutEntry extends Named {
  readonly type: 'whiteout';
}

/** What has attributes of its own. */
export type NodeEntry = FileEntry | DirectoryEntry | SymlinkEntry | DeviceEntry | FifoEntry;

/** One line of a layer's table of contents. */
export type Entry = NodeEntry | HardLinkEntry | WhiteoutEntry;

/** The time that a folder has which no layer says anything of. */
export const EPOCH: Time = { seconds: 0, nanoseconds: 0 };

/** The root folder: no layer says anything of it. */
export const BARE_ROOT: DirectoryEntry = {
  type: 'directory',
  path: ROOT,
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: EPOCH,
};

/** What the files among some entries take, in bytes. */
export function sizeOfFiles(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + (entry.type === 'file' ? entry.size : 0), 0);
}

/** Orders times. */
export function compareTimes(a: Time, b: Time): number {
  return a.seconds - b.seconds || a.nanoseconds - b.nanoseconds;
}

/** A time of node:fs (nanoseconds since 1970). */
export function timeOf(nanoseconds: bigint): Time {
  const second = 1_000_000_000n;
  const seconds = nanoseconds / second - (nanoseconds < 0n && nanoseconds % second !== 0n ? 1n : 0n);
  return { seconds: Number(seconds), nanoseconds: Number(nanoseconds - seconds * second) };
}

/** The earlier of a time and a limit. */
export function clampTime(time: Time, latest: Time | undefined): Time {
  return latest === undefined || compareTimes(time, latest) <= 0 ? time : latest;
}
