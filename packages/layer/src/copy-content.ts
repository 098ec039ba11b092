import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { digestFromHex, digestOf, type Digest } from '@caisson/oci';
import { fsPath, textOf, type HostPath } from './byte-path.ts';
import { changedWhileRead, readingError } from './changed-file.ts';
import type { FileEntry } from './entry.ts';
import type { Parts } from './parts.ts';
import type { TarSink } from './tar-sink.ts';

/** Where the bytes of a file come from. */
export type Content = ContentOfFile | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

interface ContentOfFile {
  readonly kind: 'file';
  readonly path: HostPath;
  /** Where the content begins, in bytes: what comes after it is not looked at. */
  readonly offset?: number;
}

/**
 * Puts the bytes of a file into a tar. They must be as many as the entry says.
 * @returns their digest
 */
export function* copyContent(entry: FileEntry, content: Content, output: TarSink): Parts<Digest> {
  return content.kind === 'bytes'
    ? copyBytes(entry, content.bytes, output)
    : yield* copyFile(entry, content, output);
}

function copyBytes({ path, size }: FileEntry, bytes: Uint8Array, output: TarSink): Digest {
  if (bytes.length !== size) throw new Error(`Internal error: ${textOf(path)} has another size than said`);
  output.write(bytes);
  return digestOf(bytes);
}

function* copyFile({ size }: FileEntry, { path, offset }: ContentOfFile, output: TarSink): Parts<Digest> {
  const fd = openFile(path);
  try {
    // A part of a larger file may well be followed by something.
    if (offset !== undefined) return yield* copyFrom({ fd, path, offset, size }, output);
    if (size < output.room.length) return copySmall({ fd, path, size }, output);
    const digest = yield* copyFrom({ fd, path, offset: 0, size }, output);
    if (readSync(fd, PROBE, 0, 1, size) !== 0 && fstatSync(fd).size !== size) throw changedWhileRead(path);
    return digest;
  } catch (error) {
    throw readingError(error, path);
  } finally {
    closeSync(fd);
  }
}

const PROBE = Buffer.alloc(1);

function openFile(path: HostPath): number {
  try {
    return openSync(fsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw readingError(error, path);
  }
}

/** A file that is open. */
interface OpenFile {
  readonly fd: number;
  readonly path: HostPath;
  /** How much is read of it, in bytes. */
  readonly size: number;
}

/** Most files are small: one read says what is in it and that it has not grown. */
function copySmall({ fd, path, size }: OpenFile, output: TarSink): Digest {
  const { room } = output;
  let done = 0;
  do {
    const read = readSync(fd, room, done, size + 1 - done, done);
    if (read === 0) break;
    done += read;
  } while (done < size);
  if (done < size || (done > size && fstatSync(fd).size !== size)) throw changedWhileRead(path);
  const digest = digestOf(room.subarray(0, size));
  output.advance(size);
  return digest;
}

/** Copies through the buffer, hashing what goes by. */
function* copyFrom(
  { fd, path, offset, size }: OpenFile & { readonly offset: number },
  output: TarSink,
): Parts<Digest> {
  const hasher = createHash('sha256');
  for (let done = 0; done < size;) {
    const { room } = output;
    const read = readSync(fd, room, 0, Math.min(size - done, room.length), offset + done);
    if (read === 0) throw changedWhileRead(path);
    hasher.update(room.subarray(0, read));
    output.advance(read);
    done += read;
    yield;
  }
  return digestFromHex(hasher.digest('hex'));
}
