import { closeSync, constants, openSync, readSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { digestFromHex, digestOf, type Digest } from '@caisson/oci';
import { changedWhileRead, fsPath, readingError, type HostPath } from '@caisson/layer';
import { Slices } from '../slices.ts';

/** A file to hash, and the size that it was seen with; or a part of a larger file. */
export interface FileToHash {
  readonly path: HostPath;
  readonly size: number;
  /** Where the part begins, in bytes. */
  readonly offset?: number;
}

const BUFFER_SIZE = 1 << 20;

/**
 * Hashes files one after another, with one buffer, giving way to other work every few milliseconds.
 * @param onProgress told then how many files are done, and how many bytes
 * @throws LayerError `changed-while-read` for a file that is not as long as it was, or no file any more
 */
export async function hashFiles(
  files: readonly FileToHash[],
  signal: AbortSignal,
  onProgress: (files: number, bytes: number) => void = () => {},
): Promise<Digest[]> {
  const buffer = Buffer.allocUnsafe(BUFFER_SIZE);
  const digests: Digest[] = [];
  let bytes = 0; // of the files that are done
  const slices = new Slices(signal);
  for (const file of files) {
    let done = 0;
    for (const step of hashFile(file, buffer)) {
      if (step === undefined) done = Math.min(done + BUFFER_SIZE, file.size);
      else {
        digests.push(step);
        bytes += file.size;
        done = 0;
      }
      if (!slices.isOver) continue;
      onProgress(digests.length, bytes + done);
      await slices.next();
    }
  }
  onProgress(digests.length, bytes);
  return digests;
}

/** Hashes one file; yields nothing after each buffer of it, and its digest at the end. */
function* hashFile(file: FileToHash, buffer: Buffer): Generator<Digest | undefined> {
  try {
    yield* hashOpened(file, buffer);
  } catch (error) {
    throw readingError(error, file.path);
  }
}

function* hashOpened({ path, size, offset }: FileToHash, buffer: Buffer): Generator<Digest | undefined> {
  const start = offset ?? 0;
  // A file is read up to its end, to see that it has not grown; a part is followed by something.
  const most = (done: number): number =>
    offset === undefined ? buffer.length : Math.min(buffer.length, size - done);
  const fd = openSync(fsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const first = readSync(fd, buffer, 0, most(0), start);
    if (first < buffer.length) {
      if (first !== size) throw changedWhileRead(path);
      yield digestOf(buffer.subarray(0, first));
      return;
    }
    const hasher = createHash('sha256').update(buffer);
    let done = first;
    for (let read = first; read > 0; done += read) {
      yield undefined;
      read = readSync(fd, buffer, 0, most(done), start + done);
      hasher.update(buffer.subarray(0, read));
    }
    if (done !== size) throw changedWhileRead(path);
    yield digestFromHex(hasher.digest('hex'));
  } finally {
    closeSync(fd);
  }
}
