import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, makeFolders } from '@caisson/sys';
import { indexText } from './image-index.ts';
import type { StorePaths } from './paths.ts';

/** Raised when an older Caisson could not read what a newer one writes. */
export const STORE_VERSION = 1;

/** What `store.json` says. */
export const VERSION_TEXT = `{"version":${STORE_VERSION}}\n`;

/** What `oci-layout` says. */
export const LAYOUT = '{"imageLayoutVersion":"1.0.0"}\n';

/** The files that a store has from its first moment, in the order in which they are made, with what they say. */
export function beginning(paths: StorePaths): ReadonlyMap<string, string> {
  return new Map([
    [paths.layout, LAYOUT],
    [paths.index, indexText([])],
    // Last: a store that has a version is complete.
    [paths.version, VERSION_TEXT],
  ]);
}

/** Whether a text is one that was begun and not finished, as a power cut leaves it. */
export function isBegun(text: string, whole: string): boolean {
  return text.length < whole.length && whole.startsWith(text);
}

/** Makes a store, or what it lacks. Several processes may do it at once, and each may be killed at any point. */
export async function makeStore(paths: StorePaths): Promise<void> {
  makeFolders(paths.root);
  await chmod(paths.root, 0o700); // layers hold set-user-id programs: nobody else may reach them
  await Promise.all(paths.folders.map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })));
  for (const [path, text] of beginning(paths)) while (!putWhole(paths, path, text));
}

/** The name of a file that is being made for a new store, in its folder for what is not complete. */
export const UNFINISHED = /^new-[0-9a-f-]{36}$/;

/** What link(2) says where a file system has no hard links. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Puts a file where there is none that is whole: others see it with all its text, or not at all.
 * @returns false where somebody who used the store already swept the file away while it was made
 */
function putWhole(paths: StorePaths, path: string, text: string): boolean {
  if (existsSync(path) && !isBegun(readFileSync(path, 'utf8'), text)) return true;
  const made = join(paths.tmp, `new-${randomUUID()}`);
  try {
    writeFileSync(made, text, { flag: 'wx', mode: 0o600 });
    linkSync(made, path);
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (code === 'ENOENT' && existsSync(paths.tmp)) return false;
    if (code !== 'EEXIST' && !NO_LINKS.has(code)) throw error;
    if (!existsSync(path) || isBegun(readFileSync(path, 'utf8'), text)) renameSync(made, path);
  } finally {
    rmSync(made, { force: true });
  }
  return true;
}
