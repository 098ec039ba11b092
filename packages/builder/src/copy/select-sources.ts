import {
  baseName,
  bytesOf,
  childOf,
  cleanPath,
  componentsOf,
  parentsOf,
  resolveInRoot,
  ROOT,
  textOf,
  type BytePath,
  type Kind,
} from '@caisson/layer';
import { compileGlob, hasWildcard, type IgnoreMatcher } from '@caisson/parser';
import { err, ok, type Result } from '@caisson/oci';
import { ExcludingTree } from './excluding-tree.ts';
import type { SourceNode, SourceTree } from './source-tree.ts';

/** Something that a source of COPY names. */
export interface Selected {
  /** What it is called where it is put into a folder: the last name of the source as it was written. */
  readonly name: string;
  readonly node: SourceNode;
  /** Where it and what is in it are looked up. */
  readonly tree: SourceTree;
  /** With `--parents`: the folders above it that come along, from the top. */
  readonly parents: readonly SourceNode[] | undefined;
}

/** How sources are selected. */
export interface SelectOptions {
  /** What is left out, by paths from each source on. */
  readonly exclude?: IgnoreMatcher | undefined;
  /** Whether the folders above a source come along. */
  readonly withParents?: boolean;
  /** Whether the source is a name and no pattern. */
  readonly isLiteral?: boolean | undefined;
}

/** Why a source names nothing. */
export type SelectFailure =
  | { readonly reason: 'missing'; readonly path: BytePath }
  | { readonly reason: 'bad-pattern'; readonly pattern: string }
  | { readonly reason: 'circle'; readonly path: BytePath };

/**
 * What a source of COPY or ADD names in a tree. Paths start at its root, whatever they look like; links on the way,
 * and the one at the end, are followed inside it. A pattern that fits nothing names nothing; a plain path must exist.
 */
export function selectSource(
  tree: SourceTree,
  text: string,
  options: SelectOptions = {},
): Result<Selected[], SelectFailure> {
  const matches = namedPaths(tree, text, options.isLiteral);
  if (!matches.ok) return matches;
  const selected: Selected[] = [];
  for (const path of matches.value) {
    const node = follow(tree, path);
    if (!node.ok) return node;
    const { entry } = node.value;
    const { exclude } = options;
    selected.push({
      name: baseName(path),
      node: node.value,
      tree: exclude === undefined ? tree : new ExcludingTree(tree, entry.path, exclude),
      parents: options.withParents === true ? parentsFrom(tree, path, pivotOf(text)) : undefined,
    });
  }
  return ok(selected);
}

/** The paths that a source of COPY or ADD names, no link at their ends followed. One that is no pattern need not exist. */
export function namedPaths(
  tree: SourceTree,
  text: string,
  isLiteral = false,
): Result<BytePath[], SelectFailure> {
  return hasWildcard(text) && !isLiteral ? matchPattern(tree, text) : ok([cleanPath(bytesOf(text))]);
}

/** A pattern's parts, one for each name: those before the first wildcard are a plain path. */
export function patternParts(text: string): { readonly fixed: BytePath; readonly wild: readonly string[] } {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  const firstWild = parts.findIndex((part) => hasWildcard(part) || part.includes('\\'));
  return { fixed: cleanPath(bytesOf(parts.slice(0, firstWild).join('/'))), wild: parts.slice(firstWild) };
}

/** How many names of a source stand before `/./`: those do not come along. */
function pivotOf(text: string): number {
  const at = text.lastIndexOf('/./');
  return at === -1 ? 0 : componentsOf(cleanPath(bytesOf(text.slice(0, at)))).length;
}

function parentsFrom(tree: SourceTree, path: BytePath, pivot: number): SourceNode[] {
  return parentsOf(path)
    .slice(pivot)
    .flatMap((folder) => {
      const node = follow(tree, folder);
      // By the name that was written: a link on the way stands for the folder that it leads to.
      return node.ok ? [{ ...node.value, entry: { ...node.value.entry, path: folder } }] : [];
    });
}

function follow(tree: SourceTree, path: BytePath): Result<SourceNode, SelectFailure> {
  const resolved = resolveInRoot((at) => kindOf(tree.lookup(at)), path, 'follow');
  if (!resolved.ok && resolved.reason === 'too-many-symlinks') return err({ reason: 'circle', path });
  const node = resolved.ok ? tree.lookup(resolved.path) : undefined;
  return node === undefined ? err({ reason: 'missing', path }) : ok(node);
}

/** What following a path needs to know of something on the way. */
export function kindOf(node: SourceNode | undefined): Kind | undefined {
  if (node === undefined) return undefined;
  const { entry } = node;
  if (entry.type === 'symlink') return { type: 'symlink', target: entry.target };
  return { type: entry.type === 'directory' ? 'directory' : 'other' };
}

/**
 * The paths that fit a pattern, bytewise. A wildcard stands within one name; folders are entered by the pattern only
 * where they are folders, not links to some.
 */
function matchPattern(tree: SourceTree, text: string): Result<BytePath[], SelectFailure> {
  const { fixed, wild } = patternParts(text);
  const start = follow(tree, fixed);
  if (!start.ok) return start.error.reason === 'missing' ? ok([]) : start;
  let found: BytePath[] = [start.value.entry.path];
  for (const part of wild) {
    if (part === '**') {
      found = found.flatMap((path) => foldersIn(tree, path));
      continue;
    }
    const glob = compileGlob(part);
    if (!glob.ok) return err({ reason: 'bad-pattern', pattern: text });
    found = found
      .filter((folder) => tree.lookup(folder)?.entry.type === 'directory')
      .flatMap((folder) =>
        tree
          .children(folder)
          .map(({ entry }) => entry.path)
          .filter((path) => glob.value(textOf(baseName(path)))),
      );
  }
  return ok(found);
}

/** A folder and all folders in it. */
function foldersIn(tree: SourceTree, path: BytePath): BytePath[] {
  if (tree.lookup(path)?.entry.type !== 'directory') return [];
  return [path, ...tree.children(path).flatMap(({ entry }) => foldersIn(tree, entry.path))];
}

/**
 * Everything below a selected node, and the node itself, parents before children.
 * @param left folders of which nothing is gone through
 */
export function* everythingIn(
  tree: SourceTree,
  node: SourceNode,
  left?: { has(folder: BytePath): boolean },
): Generator<SourceNode> {
  yield node;
  if (node.entry.type !== 'directory' || left?.has(node.entry.path) === true) return;
  for (const child of tree.children(node.entry.path)) yield* everythingIn(tree, child, left);
}

/** The names of a folder, and of those above it that exist: to tell what somebody may have meant. */
export function nearbyPaths(tree: SourceTree, path: BytePath): string[] {
  let folder = ROOT;
  for (const name of componentsOf(path).slice(0, -1)) {
    const next = childOf(folder, name);
    if (tree.lookup(next)?.entry.type !== 'directory') break;
    folder = next;
  }
  return tree.children(folder).map(({ entry }) => textOf(entry.path));
}
