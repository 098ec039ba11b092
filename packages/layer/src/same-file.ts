import { closeSync, constants, openSync, readSync } from 'node:fs';
import { fsPath, type HostPath } from './byte-path.ts';
import type { NodeEntry } from './entry.ts';
import type { FilePart } from './tree-writer.ts';
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

/** Whether a regular file holds the same bytes as another, or a part of one. Their sizes must have been found equal. */
export function sameBytes(a: HostPath, { path, offset = 0 }: FilePart): boolean {
  const first = openSync(fsPath(a), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const second = openSync(fsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return sameContent(first, second, offset);
    } finally {
      closeSync(second);
    }
  } finally {
    closeSync(first);
  }
}

function sameContent(whole: number, part: number, offset: number): boolean {
  const one = Buffer.allocUnsafe(CHUNK);
  const two = Buffer.allocUnsafe(CHUNK);
  for (let position = 0; ; position += CHUNK) {
    const length = fill(whole, one, position);
    const wanted = two.subarray(0, length);
    if (fill(part, wanted, offset + position) !== length) return false;
    if (Buffer.compare(one.subarray(0, length), wanted) !== 0) return false;
    if (length < CHUNK) return true;
  }
}

/** Reads until the buffer is full or the file ends. */
function fill(fd: number, buffer: Buffer, position: number): number {
  let length = 0;
  while (length < buffer.length) {
    const read = readSync(fd, buffer, length, buffer.length - length, position + length);
    if (read === 0) break;
    length += read;
  }
  return length;
}
