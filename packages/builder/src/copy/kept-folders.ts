import { baseName, childOf, type BytePath, type Entry, type Toc } from '@caisson/layer';
import { canonicalJson, digestOf } from '@caisson/oci';
import type { Time } from '@caisson/sys';
import type { Attributes } from './destination.ts';
import type { SourceTree } from './source-tree.ts';

/** A folder that is copied, with all that is in it. */
export interface CopiedFolder {
  readonly tree: SourceTree;
  readonly source: BytePath;
  /** Where what is in it is put. */
  readonly target: BytePath;
  readonly attributes: Attributes;
  /** No time of what is written is later. */
  readonly latest: Time | undefined;
  /** Whether nothing is at a path: what is put there is new then, all of it. */
  readonly isFree: (target: BytePath) => boolean;
}

/** An entry that a layer can keep from an earlier one. */
export type KeptEntry = Exclude<Entry, { readonly type: 'whiteout' | 'hardlink' }>;

/** What an earlier layer has in folders that look as they did then, by the paths of the folders in their tree. */
export type KeptFolders = ReadonlyMap<BytePath, readonly KeptEntry[]>;

/** How the folders looked that are copied to places where nothing is, by those places. What is made of them is part of it. */
export function looksOf(copied: CopiedFolder): ReadonlyMap<BytePath, string> {
  const looks = new Map<BytePath, string>();
  walkFolders(copied, ({ target, look }) => {
    if (look !== undefined) looks.set(target, look);
    return 'enter';
  });
  return looks;
}

/** Of the folders that are copied, those of which an earlier layer has all that is in them just so. */
export function keptFolders(copied: CopiedFolder, earlier: Toc): KeptFolders {
  const kept = new Map<BytePath, readonly KeptEntry[]>();
  walkFolders(copied, ({ source, target, look }) => {
    if (look === undefined || earlier.notes.looks?.get(target) !== look) return 'enter';
    const entries = earlier.below(target);
    if (!entries.every(isKeepable)) return 'enter';
    kept.set(source, entries);
    return 'leave';
  });
  return kept;
}

function isKeepable(entry: Entry): entry is KeptEntry {
  return entry.type !== 'whiteout' && entry.type !== 'hardlink';
}

interface Place {
  readonly source: BytePath;
  readonly target: BytePath;
  readonly look: string | undefined;
}

/** Goes through a folder and those in it. @param visit told each before those in it, says whether to go through them */
function walkFolders(
  { tree, source, target, attributes, latest, isFree }: CopiedFolder,
  visit: (place: Place) => 'enter' | 'leave',
): void {
  if (tree.look === undefined) return;
  const { owner, mode } = attributes;
  const how = canonicalJson([
    owner === undefined ? null : [owner.uid, owner.gid],
    mode === undefined ? null : mode.kind === 'octal' ? mode.mode : mode.text,
    latest === undefined ? null : [latest.seconds, latest.nanoseconds],
  ]);
  const open: { readonly source: BytePath; readonly target: BytePath; readonly isNew: boolean }[] = [
    { source, target, isNew: false },
  ];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const look = tree.look(at.source);
    const isNew = at.isNew || isFree(at.target);
    const made = look === undefined || !isNew ? undefined : digestOf(`${how}\n${look.text}`);
    if (visit({ source: at.source, target: at.target, look: made }) === 'leave') continue;
    for (const folder of look?.folders ?? foldersIn(tree, at.source))
      open.push({ source: folder, target: childOf(at.target, baseName(folder)), isNew });
  }
}

function foldersIn(tree: SourceTree, folder: BytePath): BytePath[] {
  return tree
    .children(folder)
    .filter(({ entry }) => entry.type === 'directory')
    .map(({ entry }) => entry.path);
}
