import { closeSync, constants, openSync, readSync } from 'node:fs';
import { fsPath, type HostPath } from './byte-path.ts';
import type { NodeEntry } from './entry.ts';
import { sameXattrs } from './xattrs.ts';

/** Whether two nodes are the same but for their times and, for files, their bytes. */
export function sameAttributes(a: NodeEntry, b: NodeEntry): boolean {
  if (a.type !== b.type || a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return false;
  if (!sameXattrs(a.xattrs, b.xattrs)) return false;
  if (a.type === 'file' && b.type === 'file') return a.size === b.size;
  if (a.type === 'symlink' && b.type === 'symlink') return a.target === b.target;
  if ((a.type === 'char' || a.type === 'block') && (b.type === 'char' || b.type === 'block')) {
    return a.major === b.major && a.minor === b.minor;
  }
  return true;
}

const CHUNK = 1 << 18;

/** Whether two regular files hold the same bytes. Their sizes must have been found equal. */
export function sameBytes(a: HostPath, b: HostPath): boolean {
  const first = openSync(fsPath(a), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const second = openSync(fsPath(b), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return sameContent(first, second);
    } finally {
      closeSync(second);
    }
  } finally {
    closeSync(first);
  }
}

function sameContent(first: number, second: number): boolean {
  const one = Buffer.allocUnsafe(CHUNK);
  const two = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const length = fill(first, one);
    if (length !== fill(second, two)) return false;
    if (Buffer.compare(one.subarray(0, length), two.subarray(0, length)) !== 0) return false;
    if (length < CHUNK) return true;
  }
}

/** Reads until the buffer is full or the file ends. */
function fill(fd: number, buffer: Buffer): number {
  let length = 0;
  while (length < buffer.length) {
    const read = readSync(fd, buffer, length, buffer.length - length, null);
    if (read === 0) break;
    length += read;
  }
  return length;
}
