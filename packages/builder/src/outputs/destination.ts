import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { once } from 'node:events';
import { errorCode } from '@caisson/sys';
import { buildError, type BuildError } from '../failure.ts';
import type { OutputSink } from '../request.ts';

/** The standard output, as a destination. */
export const STANDARD_OUTPUT = '-';

/**
 * Writes a file whole or not at all: beside its place first, so that what was there stays until the new one is
 * complete. `-` is the standard output.
 * @throws BuildError `output`
 */
export async function writeFileOutput(
  destination: string | OutputSink,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (typeof destination !== 'string') return destination(bytes);
  if (destination === STANDARD_OUTPUT) return writeToStandardOutput(bytes, signal);
  const part = join(dirname(destination), `.${basename(destination)}.${process.pid}.part`);
  try {
    const file = await open(part, 'w');
    try {
      for await (const chunk of bytes) {
        signal?.throwIfAborted();
        await file.writeFile(chunk);
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(part, destination);
  } catch (error) {
    await rm(part, { force: true });
    throw outputError(destination, error);
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
};

/** An output that cannot be written. */
export function unwritable(destination: string, reason: string, cause?: unknown): BuildError {
  const shown = destination === STANDARD_OUTPUT ? 'to the standard output' : `the output ${destination}`;
  return buildError('output', `cannot write ${shown}: ${reason}`, {}, cause);
}
