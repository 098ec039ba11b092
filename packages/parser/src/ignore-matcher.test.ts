import { describe, expect, test } from 'vitest';
import { createIgnoreMatcher } from './ignore-matcher.ts';

describe('createIgnoreMatcher', () => {
  // As moby's patternmatcher.
  test.each([
    ['*.txt', 'a.txt', true],
    ['*.txt', 'dir/a.txt', false],
    ['**/*.txt', 'a.txt', true],
    ['**/*.txt', 'dir/sub/a.txt', true],
    ['dir', 'dir/sub/file', true],
    ['/dir', 'dir/file', true],
    ['dir/', 'dir/file', true],
    ['dir/*', 'dir', false],
    ['dir/**', 'dir', false],
    ['dir/**', 'dir/a/b', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['# dir', '# dir', false],
    ['\\#dir', '#dir', true],
    ['  dir  ', 'dir', true],
    ['*\n!keep', 'keep', false],
    ['*\n!keep', 'other', true],
    ['!keep\n*', 'keep', true],
    ['dir\n!dir/keep', 'dir/keep', false],
    ['dir\n!dir/keep', 'dir/other', true],
    ['.', 'a', false],
    ['a/../b', 'b', true],
    ['', 'a', false],
  ])('%j on %s: %s', (text, path, expected) => {
    expect(createIgnoreMatcher(text).ignores(path)).toBe(expected);
  });

  test('names the rule that decides', () => {
    const matcher = createIgnoreMatcher('# comment\n*.log\n\n!keep.log\n');
    expect(matcher.explain('a.log')).toMatchObject({ line: 2, text: '*.log', isException: false });
    expect(matcher.explain('keep.log')).toMatchObject({ line: 4, text: '!keep.log', isException: true });
    expect(matcher.explain('other')).toBeUndefined();
  });

  test('knows where an exception may lie below what is hidden', () => {
    const matcher = createIgnoreMatcher('node_modules\n!node_modules/kept/index.js\n');
    expect(matcher.mayContainIncluded('node_modules')).toBe(true);
    expect(matcher.mayContainIncluded('node_modules/kept')).toBe(true);
    expect(matcher.mayContainIncluded('node_modules/other')).toBe(false);
  });
});
