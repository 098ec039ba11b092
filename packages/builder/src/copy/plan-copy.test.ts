import { baseName, cleanPath, parentsOf } from '@caisson/layer';
import { digestOf, type Digest } from '@caisson/oci';
import { array, assert, constantFrom, property, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Destination, DestinationError, type Attributes, type Planned } from './destination.ts';
import { planCopy, type CopyItem } from './plan-copy.ts';
import { everythingIn, selectSource } from './select-sources.ts';
import type { SourceTree } from './source-tree.ts';
import { layersOf, treeOf } from './testing/memory-files.ts';

const PLAIN: Attributes = { owner: undefined, mode: undefined, now: { seconds: 2, nanoseconds: 0 } };

/** What sources name, as COPY takes it. */
function itemsOf(tree: SourceTree, sources: readonly string[]): CopyItem[] {
  return sources.flatMap((source) => {
    const selected = selectSource(tree, source);
    if (!selected.ok) throw new Error(`${source}: ${selected.error.reason}`);
    return selected.value.map((each): CopyItem => {
      const files = [...everythingIn(each.tree, each.node)].map(({ entry }) => entry.path);
      const digests = new Map<(typeof files)[number], Digest>(files.map((path) => [path, digestOf(path)]));
      return { kind: 'selected', selected: each, digests };
    });
  });
}

function copied(
  before: readonly string[],
  items: readonly CopyItem[],
  to: string,
  attributes = PLAIN,
): Destination {
  const destination = new Destination(layersOf(before));
  planCopy(destination, { items, destination: to, attributes });
  return destination;
}

/** What ADD unpacks. @param implied folders that the archive says nothing of */
function unpackedItem(tree: SourceTree, implied: readonly string[] = []): CopyItem {
  const [item] = itemsOf(tree, ['.']);
  if (item?.kind !== 'selected') throw new Error('nothing is selected');
  const { selected, digests } = item;
  return { kind: 'unpacked', selected, digests, implied: new Set(implied.map((path) => cleanPath(path))) };
}

/** A line for each path that is written. */
function linesOf(destination: Destination): string[] {
  return [...destination.written].map(lineOf).toSorted();
}

function lineOf({ entry, from }: Planned): string {
  const { type, path, mode, uid, gid, mtime } = entry;
  const slash = type === 'directory' ? '/' : '';
  const target = entry.type === 'symlink' ? ` -> ${entry.target}` : '';
  const of =
    from?.kind === 'source' && baseName(from.node.entry.path) !== baseName(path)
      ? ` of ${from.node.entry.path}`
      : '';
  return `${path}${slash}${target}${of} ${mode.toString(8)} ${uid}:${gid} at ${mtime.seconds}`;
}

describe('an ADD of an archive', () => {
  test.each([
    {
      title: 'follows links on the way, inside its destination',
      before: ['t/l -> /r'],
      archive: ['l/in'],
      implied: ['l'],
      gives: ['t/r/ 755 0:0 at 2', 't/r/in 644 0:0 at 1'],
    },
    {
      title: 'puts its folder in the place of a link and of a file',
      before: ['t/l -> /r', 't/f'],
      archive: ['l/in', 'f/'],
      implied: [],
      gives: ['t/f/ 755 0:0 at 1', 't/l/ 755 0:0 at 1', 't/l/in 644 0:0 at 1'],
    },
    {
      title: 'puts its file in the place of a folder with all that is in it',
      before: ['t/d/full/of'],
      archive: ['d'],
      implied: [],
      gives: ['t/d 644 0:0 at 1'],
    },
  ])('$title', ({ before, archive, implied, gives }) => {
    const items = [unpackedItem(treeOf(...archive), implied)];
    expect(linesOf(copied([...before, 't/'], items, '/t/'))).toEqual(gives);
  });

  test('takes away what another one brought before it', () => {
    const items = [unpackedItem(treeOf('d/new')), unpackedItem(treeOf('d'))];
    const destination = copied(['t/d/old'], items, '/t/');
    expect(linesOf(destination)).toEqual(['t/d 644 0:0 at 1']);
    expect(destination.lookup(cleanPath('t/d/old'))).toBeUndefined();
  });

  test.each([
    {
      before: ['t/f'],
      archives: [treeOf('f/in')],
      implied: ['f'],
      why: 'cannot copy to non-directory: /t/f',
    },
    {
      before: ['t/d/old'],
      archives: [treeOf('d'), treeOf('d/')],
      implied: [],
      why: 'cannot make the folder /t/d, which was replaced by a file before',
    },
  ])('cannot be: $why', ({ before, archives, implied, why }) => {
    const items = archives.map((tree) => unpackedItem(tree, implied));
    expect(() => copied(before, items, '/t/')).toThrow(new DestinationError(why));
  });
});

describe('a COPY', () => {
  test.each([
    {
      title: 'makes the folders above its destination, with the time of now',
      before: [],
      copy: ['f'],
      to: '/a/b/',
      gives: ['a/ 755 0:0 at 2', 'a/b/ 755 0:0 at 2', 'a/b/f 644 0:0 at 1'],
    },
    {
      title: 'of a file to a name makes a file of that name',
      before: ['a/'],
      copy: ['f'],
      to: '/a/b',
      gives: ['a/b of f 644 0:0 at 1'],
    },
    {
      title: 'of a file to a folder goes into it',
      before: ['a/b/'],
      copy: ['f'],
      to: '/a/b',
      gives: ['a/b/f 644 0:0 at 1'],
    },
    {
      title: 'goes where links lead, inside the root',
      before: ['real/', 'up -> ../../real', 'far -> /up'],
      copy: ['f'],
      to: '/far',
      gives: ['real/f 644 0:0 at 1'],
    },
    {
      title: 'makes what a link to nothing names',
      before: ['l -> /none/there'],
      copy: ['f'],
      to: '/l',
      gives: ['none/ 755 0:0 at 2', 'none/there of f 644 0:0 at 1'],
    },
    {
      title: 'replaces the file that a link leads to, and not the link',
      before: ['file', 'l -> file'],
      copy: ['g'],
      to: '/l',
      gives: ['file of g 640 3:4 at 1'],
    },
    {
      title: 'of a folder merges what is in it, and takes its time',
      before: ['a/d/old', 'a/d/x -> elsewhere'],
      copy: ['d'],
      to: '/a/d',
      gives: ['a/d/ 755 0:0 at 1', 'a/d/sub/ 700 0:0 at 1', 'a/d/sub/s 644 0:0 at 1', 'a/d/x 644 0:0 at 1'],
    },
    {
      title: 'of a folder to the root leaves the root as it is',
      before: [],
      copy: ['d'],
      to: '/',
      gives: ['sub/ 700 0:0 at 1', 'sub/s 644 0:0 at 1', 'x 644 0:0 at 1'],
    },
    {
      title:
        'copies a link that is in a folder, and puts what it leads to under the name of one that is named',
      before: [],
      copy: ['links', 'links/l'],
      to: '/a/',
      gives: ['a/ 755 0:0 at 1', 'a/dangling -> nowhere 644 0:0 at 1', 'a/l of f 644 0:0 at 1'],
    },
    {
      title: 'of several sources lets the last one count',
      before: [],
      copy: ['d/x', 'other/x'],
      to: '/',
      gives: ['x 600 0:0 at 1'],
    },
  ])('$title', ({ before, copy, to, gives }) => {
    const tree = treeOf(
      'f',
      'g 640 3:4',
      'd/x',
      'd/sub/ 700 0:0',
      'd/sub/s',
      'links/l -> ../f',
      'links/dangling -> nowhere',
      'other/x 600 0:0',
    );
    expect(linesOf(copied(before, itemsOf(tree, copy), to))).toEqual(gives);
  });

  test.each([
    { before: ['a'], copy: 'd', to: '/a', why: 'cannot copy to non-directory: /a' },
    { before: ['a'], copy: 'f', to: '/a/', why: 'cannot copy to non-directory: /a' },
    { before: ['a'], copy: 'f', to: '/a/b', why: 'cannot copy to /a/b: /a is not a directory' },
    { before: ['d/f/'], copy: 'f', to: '/d', why: 'cannot replace to directory /d/f with file' },
    { before: ['t/in'], copy: 'd', to: '/t', why: 'cannot copy to non-directory: /t/in' },
    {
      before: ['a -> b', 'b -> a'],
      copy: 'f',
      to: '/a',
      why: 'cannot copy to /a: /a leads round in a circle of symlinks',
    },
  ])('of $copy to $to where $before is there cannot be', ({ before, copy, to, why }) => {
    const items = itemsOf(treeOf('f', 'd/in/x'), [copy]);
    expect(() => copied(before, items, to)).toThrow(new DestinationError(why));
  });

  test('gives owner and mode to everything, but links have no mode', () => {
    const attributes: Attributes = {
      ...PLAIN,
      owner: { uid: 7, gid: 8 },
      mode: { kind: 'octal', mode: 0o4711 },
    };
    const items = itemsOf(treeOf('d/x', 'd/l -> x'), ['d']);
    expect(linesOf(copied([], items, '/to/d', attributes))).toEqual([
      'to/ 711 7:8 at 2',
      'to/d/ 711 7:8 at 1',
      'to/d/l -> x 644 7:8 at 1',
      'to/d/x 4711 7:8 at 1',
    ]);
  });

  test('keeps the names of one file together, within one source', () => {
    const items = itemsOf(treeOf('d/a', 'd/b = d/a', 'd/c'), ['d', 'd/b']);
    const links = new Map(
      [...copied([], items, '/to/').written].map(({ entry, linkId }) => [entry.path, linkId]),
    );
    const of = (path: string): string | undefined => [...links].find(([each]) => each === path)?.[1];
    expect(of('to/a')).toMatch(/^0 /);
    expect(of('to/b')).toMatch(/^1 /); // the second source replaced it
    expect(of('to/c')).not.toBe(of('to/a'));
  });
});

const NAMES = ['a', 'b', 'c'] as const;
const PATH = array(constantFrom(...NAMES, '..'), { minLength: 1, maxLength: 4 }).map((parts) =>
  parts.join('/'),
);
const CLEAN = array(constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
/** Files, folders and links that may lead anywhere, out of the root and in circles too. */
const LINES = array(
  tuple(CLEAN, constantFrom('', '/', ' -> '), tuple(constantFrom('', '/'), PATH)).map(
    ([path, kind, [root, target]]) => (kind === ' -> ' ? `${path} -> ${root}${target}` : `${path}${kind}`),
  ),
  { maxLength: 6 },
);

/** Without what lies below something that is no folder: no state has that. */
function possible(lines: readonly string[]): string[] {
  const others = lines.filter((line) => !line.endsWith('/')).map((line) => line.split(' ')[0] ?? '');
  const kept = new Map<string, string>();
  for (const line of lines) {
    const path = (line.split(' ')[0] ?? '').replace(/\/$/, '');
    if (!others.some((other) => path.startsWith(`${other}/`))) kept.set(path, line);
  }
  return [...kept.values()];
}

describe('whatever is copied', () => {
  test('lands below folders that are folders, and never outside the root', () => {
    let landed = 0;
    assert(
      property(LINES, LINES, PATH, constantFrom('', '/'), (before, sources, to, slash) => {
        const items = itemsOf(treeOf(...possible(sources)), ['/']);
        let destination: Destination;
        try {
          destination = copied(possible(before), items, `/${to}${slash}`);
        } catch (error) {
          expect(error).toBeInstanceOf(DestinationError);
          return;
        }
        for (const { entry } of destination.written) {
          landed++;
          expect(entry.path.split('/')).not.toContain('..');
          for (const folder of parentsOf(entry.path)) {
            expect(destination.lookup(folder)?.type).toBe('directory');
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(landed).toBeGreaterThan(100);
  });
});
