import {
  bytesOf,
  cleanPath,
  componentsOf,
  isBelow,
  parentOf,
  parentsOf,
  resolveInRoot,
  ROOT,
  textOf,
  type BytePath,
} from '@caisson/layer';
import { compileGlob, createIgnoreMatcher, hasWildcard, type IgnoreMatcher } from '@caisson/parser';
import { kindOf, namedPaths, patternParts } from '../copy/select-sources.ts';
import type { SourceTree } from '../copy/source-tree.ts';
import type { LocalContext } from '../context/local-context.ts';
import type { SourcesOf } from '../steps/select-all.ts';

/** What is at a path. */
export type PathKind = 'file' | 'folder';

/** Paths of a context that a selection depends on, there or not. */
export interface Area {
  /** The same for areas that are the same. */
  readonly identity: string;
  covers(path: BytePath, kind: PathKind): boolean;
  /** Whether it covers anything below a folder. */
  reaches(folder: BytePath): boolean;
}

/** What is left out. */
interface Exclude {
  /** By paths from the source on. */
  readonly matcher: IgnoreMatcher;
  /** Whether something counts even if it is left out, by its path in the context. */
  readonly keepsFolder: (path: BytePath) => boolean;
}

/** The paths that decide what sources select. */
export function selectedAreas(tree: LocalContext, { sources, excludes }: SourcesOf): Area[] {
  const matcher = excludes?.length ? createIgnoreMatcher(excludes.join('\n')) : undefined;
  // An ignored folder is there as long as anything in it is not ignored, were that excluded.
  const keepsFolder = (path: BytePath): boolean => tree.rules.ignores(textOf(parentOf(path)));
  const exclude = matcher === undefined ? undefined : { matcher, keepsFolder };
  return sources.flatMap((source): Area[] => {
    if (source.kind !== 'path') return [];
    const { text, isLiteral = false } = source;
    if (isLiteral || !hasWildcard(text)) return followed(tree, cleanPath(bytesOf(text)), exclude);
    const { fixed, wild } = patternParts(text);
    const parts: PatternPart[] = [];
    for (const part of wild) {
      const glob = part === '**' ? undefined : compileGlob(part);
      if (glob?.ok === false) return [];
      parts.push(glob?.value ?? 'folders');
    }
    const start = resolved(tree, fixed);
    const named = namedPaths(tree, text);
    const links = (named.ok ? named.value : []).filter((path) => tree.lookup(path)?.entry.type === 'symlink');
    return [
      single(start.asked),
      matches({ start: start.path, parts, wild }, exclude),
      ...links.flatMap((path) => followed(tree, path, exclude)),
    ];
  });
}

/** A plain path: each name on the way, links and where they lead among them, and all that is at its end. */
function followed(tree: SourceTree, path: BytePath, exclude: Exclude | undefined): Area[] {
  const { asked, path: end } = resolved(tree, path);
  return [single(asked), matches({ start: end, parts: [], wild: [] }, exclude)];
}

/** Where a path leads, and what was asked for on the way. */
function resolved(
  tree: SourceTree,
  path: BytePath,
): { readonly path: BytePath; readonly asked: ReadonlySet<BytePath> } {
  const asked = new Set<BytePath>();
  const inspect = (at: BytePath): ReturnType<typeof kindOf> => {
    asked.add(at);
    return kindOf(tree.lookup(at));
  };
  const end = resolveInRoot(inspect, path, 'follow');
  // What is missing may come.
  for (const at of [...parentsOf(end.path), end.path]) if (at !== ROOT) asked.add(at);
  return { path: end.path, asked };
}

/** Some paths, and nothing below them. */
function single(paths: ReadonlySet<BytePath>): Area {
  return {
    identity: JSON.stringify([...paths].toSorted()),
    covers: (path) => paths.has(path),
    reaches: (folder) => [...paths].some((path) => isBelow(path, folder)),
  };
}

/** What one name of a pattern has to be; `folders` stands for any number of folders. */
type PatternPart = ((name: string) => boolean) | 'folders';

/** A pattern from a folder on, as it is compiled and as it is written. */
interface Pattern {
  readonly start: BytePath;
  readonly parts: readonly PatternPart[];
  readonly wild: readonly string[];
}

/** What fits a pattern, and is not left out of it; without a pattern, the folder itself. */
function matches({ start, parts, wild }: Pattern, exclude: Exclude | undefined): Area {
  const isIncluded = (path: BytePath, names: readonly string[], kind: PathKind): boolean => {
    if (exclude === undefined || exclude.keepsFolder(path)) return true;
    const fromSource = textOf(names.join('/'));
    if (!exclude.matcher.ignores(fromSource)) return true;
    return kind === 'folder' && exclude.matcher.mayContainIncluded(fromSource);
  };
  const test = (path: BytePath, kind: PathKind): boolean => {
    const names = componentsOf(start === ROOT ? path : cleanPath(path.slice(start.length + 1)));
    let open = opened([0], parts);
    for (const [at, name] of names.entries()) {
      if (open.has(parts.length) && isIncluded(path, names.slice(at), kind)) return true;
      open = opened(after(open, parts, textOf(name)), parts);
    }
    return open.has(parts.length) || (kind === 'folder' && open.size > 0);
  };
  const isIn = (path: BytePath): boolean => path === start || isBelow(path, start);
  return {
    identity: JSON.stringify([start, wild, exclude?.matcher.source.text ?? null]),
    covers: (path, kind) => isIn(path) && test(path, kind),
    reaches: (folder) => isBelow(start, folder) || (isIn(folder) && test(folder, 'folder')),
  };
}

/** How many parts of a pattern may be done once a name has been taken. */
function after(open: ReadonlySet<number>, parts: readonly PatternPart[], name: string): number[] {
  return [...open].flatMap((done) => {
    const part = parts[done];
    if (part === undefined) return [];
    if (part === 'folders') return [done];
    return part(name) ? [done + 1] : [];
  });
}

/** Those, and what they are without the folders that need not be there. */
function opened(done: readonly number[], parts: readonly PatternPart[]): ReadonlySet<number> {
  const all = new Set(done);
  for (const each of all) if (parts[each] === 'folders') all.add(each + 1);
  return all;
}
