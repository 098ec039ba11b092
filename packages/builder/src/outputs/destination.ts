import { constants } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { basename, dirname, join } from 'node:path';
import { once } from 'node:events';
import { errorCode } from '@caisson/sys';
import { buildError, type BuildError } from '../failure.ts';
import type { OutputSink } from '../request.ts';
import { filePlace, type FilePlace } from './file-place.ts';

/** The standard output, as a destination. */
export const STANDARD_OUTPUT = '-';

/**
 * Writes a file whole or not at all: beside its place first, so that what was there stays until the new one is
 * complete. What is a device or a pipe stays one, and is written to. `-` is the standard output.
 * @throws BuildError `output`
 */
export async function writeFileOutput(
  destination: string | OutputSink,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (typeof destination !== 'string') return destination(bytes);
  if (destination === STANDARD_OUTPUT) return writeToStandardOutput(bytes, signal);
  try {
    const place = await filePlace(destination);
    if (place.kind === 'file') await replaceFile(place.path, bytes, signal);
    else await writeAllTo(await openSpecial(place, signal), bytes, signal);
  } catch (error) {
    throw outputError(destination, error);
  }
}

async function replaceFile(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const part = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    const file = await open(part, 'w');
    await writeAllTo(file, bytes, signal, () => file.datasync());
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function writeAllTo(
  file: FileHandle,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
  finish: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  try {
    for await (const chunk of bytes) {
      signal?.throwIfAborted();
      await file.writeFile(chunk);
    }
    await finish();
  } finally {
    await file.close();
  }
}

/** How often is looked whether somebody reads a pipe, in milliseconds. */
const UNREAD = 50;

/** Opens what is there. A pipe that nobody reads is waited for where that can be ended. */
async function openSpecial(
  { path, isPipe }: Extract<FilePlace, { kind: 'special' }>,
  signal: AbortSignal | undefined,
): Promise<FileHandle> {
  const flags = constants.O_WRONLY;
  if (!isPipe) return open(path, flags);
  for (;;) {
    try {
      await using _reader = await open(path, flags | constants.O_NONBLOCK);
      return await open(path, flags);
    } catch (error) {
      if (errorCode(error) !== 'ENXIO') throw error;
      await sleep(UNREAD, undefined, signal && { signal });
    }
  }
}

async function writeToStandardOutput(
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    if (process.stdout.write(chunk)) continue;
    try {
      await once(process.stdout, 'drain', options);
    } catch (error) {
      throw outputError(STANDARD_OUTPUT, error);
    }
  }
}

/** What a failure to write means; anything else than one of the file system comes back as it is. */
export function outputError(destination: string, error: unknown): unknown {
  const reason = reasonFor(errorCode(error));
  return reason === undefined ? error : unwritable(destination, reason, error);
}

/** What the code of an error of the file system means for something that is to be written; undefined for others. */
export function reasonFor(code: string | undefined): string | undefined {
  return REASONS[code ?? ''];
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'what should be its folder is a file',
  EISDIR: 'it is a folder',
  ENOTEMPTY: 'it is a folder that holds something else',
  EEXIST: 'it is a folder that holds something else',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'no space left on the disk',
  EPIPE: 'nobody reads it any more',
  EFBIG: 'it becomes larger than a file may be here',
  EIO: 'the disk has an error',
  ELOOP: 'its path is links that lead nowhere',
  ENAMETOOLONG: 'its name is too long',
  ETXTBSY: 'it is a program that runs',
  EBUSY: 'something else uses it',
  ENODEV: 'there is no such device',
  ENXIO: 'there is no such device',
  EINVAL: 'it takes nothing of the kind',
};

/** An output that cannot be written. */
export function unwritable(destination: string, reason: string, cause?: unknown): BuildError {
  const shown = destination === STANDARD_OUTPUT ? 'to the standard output' : `the output ${destination}`;
  return buildError('output', `cannot write ${shown}: ${reason}`, {}, cause);
}
