import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { constantFrom, oneof, record, type Arbitrary } from 'fast-check';

/** Something that is done in a folder. Paths are relative to it. */
export type FolderEdit =
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  | { readonly kind: 'folder' | 'remove'; readonly path: string }
  | { readonly kind: 'mode'; readonly path: string; readonly mode: number }
  | { readonly kind: 'rename' | 'link' | 'symlink'; readonly path: string; readonly from: string };

const PATH = constantFrom('a', 'b', 'c', 'a/a', 'a/b', 'a/c', 'b/a', 'b/b', 'b/c', 'a/b/a', 'a/b/c', 'b/c/c');

/** Makes an empty folder one in which some of the paths of edits are there. */
export function fillFolder(folder: string): void {
  for (const path of ['a/b', 'b']) mkdirSync(join(folder, path), { recursive: true });
  for (const path of ['a/a', 'a/b/a', 'a/b/c', 'b/a', 'c']) writeFileSync(join(folder, path), path);
  linkSync(join(folder, 'c'), join(folder, 'b/c'));
}

/** Edits at random: names are few, so that they meet. */
export const FOLDER_EDIT: Arbitrary<FolderEdit> = oneof(
  {
    weight: 4,
    arbitrary: record({ kind: constantFrom('write'), path: PATH, text: constantFrom('', 'x', 'yy') }),
  },
  { weight: 3, arbitrary: record({ kind: constantFrom('folder', 'remove'), path: PATH }) },
  {
    weight: 1,
    arbitrary: record({ kind: constantFrom('mode'), path: PATH, mode: constantFrom(0o700, 0o755) }),
  },
  {
    weight: 4,
    arbitrary: record({ kind: constantFrom('rename', 'link', 'symlink'), path: PATH, from: PATH }),
  },
);

/**
 * Does an edit, where it can be done.
 * @returns the paths that the kernel tells of, absolute: of a folder that went or came only its own
 */
export function editFolder(folder: string, edit: FolderEdit): string[] {
  const path = join(folder, edit.path);
  const from = 'from' in edit ? join(folder, edit.from) : path;
  // The kernel tells of where something is, not of the way to it.
  if (isThroughLink(folder, edit.path) || ('from' in edit && isThroughLink(folder, edit.from))) return [];
  try {
    switch (edit.kind) {
      case 'write':
        if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) return [];
        writeFileSync(path, edit.text);
        return [path];
      case 'folder':
        mkdirSync(path);
        return [path];
      case 'remove':
        rmSync(path, { recursive: true });
        return [path];
      case 'mode':
        if (lstatSync(path).isSymbolicLink()) return [];
        chmodSync(path, edit.mode);
        return [path];
      case 'rename':
        renameSync(from, path);
        return [from, path];
      case 'link':
        linkSync(from, path);
        return [path];
      case 'symlink':
        symlinkSync(join('/', edit.from), path);
        return [path];
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return []; // it cannot be done as things are
    throw error;
  }
}

function isThroughLink(folder: string, path: string): boolean {
  for (let at = dirname(path); at !== '.'; at = dirname(at)) {
    try {
      if (lstatSync(join(folder, at)).isSymbolicLink()) return true;
    } catch {
      continue;
    }
  }
  return false;
}
