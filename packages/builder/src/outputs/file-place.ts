import { readlink, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errorCode } from '@caisson/sys';

/** What lies, or is to lie, where a path leads. */
export type FilePlace =
  /** A device, a pipe, a socket: written to, as it is. */
  | { readonly kind: 'special'; readonly path: string; readonly isPipe: boolean }
  /** A file, a folder or nothing: a new file takes the place. No part of the path is a link that leads elsewhere. */
  | { readonly kind: 'file'; readonly path: string };

/** @throws Error of node:fs */
export async function filePlace(path: string): Promise<FilePlace> {
  try {
    const there = await stat(path);
    if (!there.isFile() && !there.isDirectory()) return { kind: 'special', path, isPipe: there.isFIFO() };
    return { kind: 'file', path: await realpath(path) };
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    const link = await readlink(path).catch(() => undefined);
    return link === undefined ? { kind: 'file', path } : filePlace(resolve(dirname(path), link));
  }
}
