import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { pathExists } from 'fs-extra/esm';
import { StoreError } from './errors.ts';
import type { StorePaths } from './paths.ts';

/**
 * Looks at a folder that does not say that it is a store: whether it may become one. A new folder may, and one in which
 * somebody has begun to make a store, or of which only the file that says so was lost. Whatever else has something in it
 * is somebody's: a store removes what it does not know.
 * @param begun the files that a new store has first, with what they say
 * @throws StoreError `not-a-store`
 */
export async function checkMayBecomeStore(
  paths: StorePaths,
  begun: ReadonlyMap<string, string>,
): Promise<void> {
  const { root } = paths;
  if (!(await pathExists(root))) return;
  const isThere = await Promise.all([...paths.folders, ...begun.keys()].map((path) => pathExists(path)));
  if (isThere.every(Boolean)) return;
  const foreign = foreignIn(paths, begun);
  if (foreign === undefined) return;
  const isLayout = (await pathExists(paths.layout)) && !(await pathExists(paths.records));
  const why = isLayout ? 'an image layout of another tool' : `not empty: it has ${foreign}`;
  throw new StoreError('not-a-store', `the folder ${root} is no store, but ${why}`, {
    hint: 'choose a folder of its own for the store (--root, CAISSON_ROOT)',
  });
}

/** Something in the folder that is not of a store that was just begun; undefined where there is nothing. */
function foreignIn(paths: StorePaths, begun: ReadonlyMap<string, string>): string | undefined {
  const own = new Set(paths.folders.map((folder) => relative(paths.root, folder)));
  const parents = new Set([...own].map((folder) => folder.split(sep, 1)[0]));
  for (const name of readdirSync(paths.root).toSorted()) {
    const path = join(paths.root, name);
    const text = begun.get(path);
    if (text !== undefined) {
      // It may be written just now.
      if (text.startsWith(readFileSync(path, 'utf8'))) continue;
    } else if (name === FILE_SYSTEM) continue;
    else if (parents.has(name) && namesBelow(path).every((each) => own.has(join(name, each)))) continue;
    return name;
  }
  return undefined;
}

function namesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' });
}

/** What mkfs.ext4 makes: a file system of its own may well be given to a store. */
const FILE_SYSTEM = 'lost+found';
