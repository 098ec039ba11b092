import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { CacheError } from './cache-error.ts';

/** Opens a file of a folder that anybody may have written to. It is not waited for a pipe or a device. */
export async function openRegular(path: string, what: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new CacheError(`${what} is no file`);
}

/** The bytes of a small file, and not more of them than there may be. */
export async function readSmall(path: string, what: string, limit: number): Promise<Uint8Array> {
  await using file = await openRegular(path, what);
  const { size } = await file.stat();
  if (size > limit) throw new CacheError(`${what} is too large: ${size} bytes`);
  const bytes = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await file.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}
