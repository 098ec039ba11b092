import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hostPath } from '@caisson/layer';
import { unpackArchive } from '../copy/archive.ts';
import { err, ok, type Result } from '@caisson/oci';
import { buildError, type Failure } from '../failure.ts';
import { failuresOf } from '../failure-of.ts';

/** A context that came as a stream. */
export interface ReceivedContext {
  /** The folder in which it lies now. */
  readonly context: string;
  /** The Dockerfile, where the stream was one: then the context is empty. */
  readonly dockerfileText?: string;
  readonly usesIgnoreFile: false;
}

/**
 * Takes a context from a stream: an archive, compressed or not, or a Dockerfile alone.
 * @param folder an empty folder of the caller's, who removes it when the build has ended
 * @returns where it lies; or why it cannot be used
 */
export async function receiveContext(
  bytes: AsyncIterable<Uint8Array>,
  folder: string,
): Promise<Result<ReceivedContext, readonly Failure[]>> {
  try {
    return ok(await receive(bytes, folder));
  } catch (error) {
    const failures = failuresOf(error);
    if (failures === undefined) throw error;
    return err(failures);
  }
}

async function receive(bytes: AsyncIterable<Uint8Array>, folder: string): Promise<ReceivedContext> {
  const received = join(folder, 'received');
  const context = join(folder, 'context');
  await pipeline(bytes, createWriteStream(received, { flags: 'wx', mode: 0o600 }));
  if ((await unpackArchive(hostPath(received), 'the build context', context)) !== undefined)
    return { context, usesIgnoreFile: false };
  const text = await readFile(received);
  if (text.length === 0 || text.includes(0)) {
    const what = text.length === 0 ? 'empty' : 'neither a Dockerfile nor an archive';
    throw buildError('invalid-request', `what came as the build context is ${what}`, {
      expected: 'a tar, compressed or not, or a Dockerfile',
    });
  }
  await mkdir(context);
  return { context, dockerfileText: text.toString('utf8'), usesIgnoreFile: false };
}
