import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { errorCode } from '@caisson/sys';
import { pathExists } from 'fs-extra/esm';
import { StoreError } from './errors.ts';
import { beginning, UNFINISHED } from './make-store.ts';
import type { StorePaths } from './paths.ts';

/**
 * Looks at a folder that does not say that it is a store: whether it may become one. A new folder may, and one in which
 * somebody has begun to make a store, or of which only the file that says so was lost. Whatever else has something in it
 * is somebody's: a store removes what it does not know.
 * @throws StoreError `not-a-store`
 */
export async function checkMayBecomeStore(paths: StorePaths): Promise<void> {
  const { root } = paths;
  if (!(await pathExists(root))) return;
  const first = [...paths.folders, paths.layout, paths.index];
  const isThere = await Promise.all(first.map((path) => pathExists(path)));
  if (isThere.every(Boolean)) return;
  const foreign = foreignIn(paths);
  if (foreign === undefined) return;
  const isLayout = (await pathExists(paths.layout)) && !(await pathExists(paths.records));
  const why = isLayout ? 'an image layout of another tool' : `not empty: it has ${foreign}`;
  throw new StoreError('not-a-store', `the folder ${root} is no store, but ${why}`, {
    hint: 'choose a folder of its own for the store (--root, CAISSON_ROOT)',
  });
}

/** Something in the folder that is not of a store that was just begun; undefined where there is nothing. */
function foreignIn(paths: StorePaths): string | undefined {
  const begun = beginning(paths);
  const own = new Set(paths.folders.map((folder) => relative(paths.root, folder)));
  const parents = new Set([...own].map((folder) => folder.split(sep, 1)[0]));
  const isOwn = (name: string): boolean => own.has(name) || isUnfinished(paths, name);
  for (const name of readdirSync(paths.root).toSorted()) {
    const path = join(paths.root, name);
    const text = begun.get(path);
    if (text !== undefined) {
      if (text.startsWith(readFileSync(path, 'utf8'))) continue;
    } else if (name === FILE_SYSTEM) continue;
    else if (parents.has(name) && namesBelow(path).every((each) => isOwn(join(name, each)))) continue;
    return name;
  }
  return undefined;
}

/** Whether this is a file that somebody makes just now for the new store, or was killed over. */
function isUnfinished(paths: StorePaths, name: string): boolean {
  const path = join(paths.root, name);
  if (dirname(path) !== paths.tmp || !UNFINISHED.test(basename(path))) return false;
  try {
    const text = readFileSync(path, 'utf8');
    return [...beginning(paths).values()].some((whole) => whole.startsWith(text));
  } catch (error) {
    return errorCode(error) === 'ENOENT'; // it has its name by now
  }
}

function namesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' });
}

/** What mkfs.ext4 makes: a file system of its own may well be given to a store. */
const FILE_SYSTEM = 'lost+found';
