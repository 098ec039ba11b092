import { createIgnoreMatcher } from '@caisson/parser';
import { array, assert, constantFrom, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { everythingIn, selectSource, type SelectOptions } from './select-sources.ts';
import type { SourceTree } from './source-tree.ts';
import { treeOf } from './testing/memory-files.ts';

/** The names under which a source is taken and the paths that they stand for; or why there are none. */
function selection(tree: SourceTree, text: string, options?: SelectOptions): string[] | string {
  const selected = selectSource(tree, text, options);
  if (!selected.ok) return selected.error.reason;
  return selected.value.map(({ name, node, parents }) =>
    [name, node.entry.path, ...(parents?.map(({ entry }) => entry.path) ?? [])].join(' '),
  );
}

describe('a source', () => {
  const tree = treeOf(
    'a.txt',
    'b.txt',
    'dir/a.txt',
    'dir/deep/c.txt',
    '[x]',
    'link -> dir/deep',
    'out -> ../../dir',
    'nowhere -> none',
    'round -> round',
    'é.txt',
  );

  test.each([
    ['a.txt', ['a.txt a.txt']],
    ['/a.txt', ['a.txt a.txt']],
    ['../../a.txt', ['a.txt a.txt']],
    ['dir/', ['dir dir']],
    ['.', [' ']],
    ['link', ['link dir/deep']],
    ['link/c.txt', ['c.txt dir/deep/c.txt']],
    ['out/a.txt', ['a.txt dir/a.txt']],
    ['*.txt', ['a.txt a.txt', 'b.txt b.txt', '\u00c3\u00a9.txt \u00c3\u00a9.txt']],
    ['?.txt', ['a.txt a.txt', 'b.txt b.txt', '\u00c3\u00a9.txt \u00c3\u00a9.txt']],
    ['l*/c.txt', []],
    ['link/*', ['c.txt dir/deep/c.txt']],
    ['**/c.txt', ['c.txt dir/deep/c.txt']],
    ['none*', []],
    ['none/*', []],
    ['[[]x]', ['[x] [x]']],
    ['none', 'missing'],
    ['nowhere', 'missing'],
    ['a.txt/b', 'missing'],
    ['round', 'circle'],
    ['n*', 'missing'],
    ['[a', 'bad-pattern'],
  ])('%s names %j', (text, names) => {
    expect(selection(tree, text)).toEqual(names);
  });

  test.each([
    ['dir/deep/c.txt', ['c.txt dir/deep/c.txt dir dir/deep']],
    ['dir/./deep/c.txt', ['c.txt dir/deep/c.txt dir/deep']],
    ['dir/deep/./c.txt', ['c.txt dir/deep/c.txt']],
    ['link/c.txt', ['c.txt dir/deep/c.txt link']],
  ])('%s brings its parents along', (text, names) => {
    expect(selection(tree, text, { withParents: true })).toEqual(names);
  });
});

const PATH = array(constantFrom('a', 'b', 'ab', 'c'), { minLength: 1, maxLength: 3 }).map((parts) =>
  parts.join('/'),
);

/** Without what lies below a file. */
function files(paths: readonly string[]): string[] {
  return [...new Set(paths)].filter((path) => !paths.some((other) => path.startsWith(`${other}/`)));
}

describe('whatever the files are', () => {
  test('a pattern names each path that fits it once, bytewise', () => {
    const part = constantFrom('*', '?', 'a*', '*b', 'a', 'ab');
    const patterns = array(part, { minLength: 1, maxLength: 3 });
    assert(
      property(array(PATH, { maxLength: 8 }), patterns, (paths, parts) => {
        const lines = files(paths);
        const tree = treeOf(...lines);
        const all = new Set(
          lines.flatMap((path) => path.split('/').map((_, end, names) => names.slice(0, end + 1).join('/'))),
        );
        const expression = new RegExp(
          `^${parts.join('/').replaceAll('*', '[^/]*').replaceAll('?', '[^/]')}$`,
        );
        const fitting = [...all].filter((path) => expression.test(path)).toSorted();
        const found = selectSource(tree, parts.join('/'));
        if (!/[*?]/.test(parts.join(''))) {
          expect(found.ok).toBe(fitting.length === 1);
          return;
        }
        expect(found.ok ? found.value.map(({ node }) => node.entry.path).toSorted() : found).toEqual(fitting);
      }),
      { numRuns: 500 },
    );
  });

  test('what is excluded is left out, and nothing else', () => {
    const rule = constantFrom('a', '*/b', '**/ab', '!a/b', '!**/c', 'b/**', '*');
    assert(
      property(array(PATH, { maxLength: 8 }), array(rule, { maxLength: 3 }), (paths, rules) => {
        const lines = files(paths);
        const exclude = createIgnoreMatcher(rules.join('\n'));
        const selected = selectSource(treeOf(...lines), '.', { exclude });
        const [all] = selected.ok ? selected.value : [];
        if (all === undefined) throw new Error('the root is always there');
        const left = [...everythingIn(all.tree, all.node)].filter(({ entry }) => entry.type === 'file');
        const expected = lines.filter((path) => !exclude.ignores(path));
        expect(left.map(({ entry }) => entry.path).toSorted()).toEqual(expected.toSorted());
      }),
      { numRuns: 500 },
    );
  });
});
