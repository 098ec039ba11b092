import { describe, expect, test } from 'vitest';
import { applyFileMode, parseFileMode } from './file-mode.ts';

function changed(text: string, before: number, isFolder = false): string {
  const mode = parseFileMode(text);
  if (mode === undefined) throw new Error(`${text} is no mode`);
  return applyFileMode(mode, before, isFolder).toString(8);
}

describe('--chmod', () => {
  test.each([
    ['755', 0o600, '755'],
    ['0', 0o600, '0'],
    ['u+x', 0o644, '744'],
    ['go-w,u+s', 0o666, '4644'],
    ['a=r', 0o777, '444'],
    ['+x', 0o644, '755'],
    ['g=u', 0o640, '660'],
    ['o=g,g=', 0o750, '705'],
    ['u=rwX', 0o644, '644'],
    ['u=rwX', 0o655, '755'],
    ['+t', 0o755, '1755'],
    ['u+r-w', 0o200, '400'],
    // Asked of Docker 28.5: the rules of BSD's setmode.
    ['u+t', 0o644, '1644'],
    ['g+t', 0o644, '1644'],
    ['o+t', 0o644, '644'],
    ['uo+t', 0o644, '1644'],
    ['o=t', 0o644, '640'],
    ['=t', 0o644, '1644'],
    ['+s', 0o644, '6644'],
    ['a+s', 0o644, '6644'],
    ['o+s', 0o644, '644'],
    ['u=rwx', 0o7777, '3777'],
    ['g=rwx', 0o7777, '5777'],
    ['o=rwx', 0o7777, '7777'],
    ['a=rwx', 0o7777, '1777'],
    ['=rwx', 0o7777, '1777'],
    ['u-s', 0o7777, '3777'],
    ['o-t', 0o7777, '7777'],
    ['-t', 0o7777, '6777'],
    ['g=u', 0o7777, '7777'],
  ])('%s of %i', (text, before, expected) => {
    expect(changed(text, before)).toBe(expected);
  });

  test('X is for folders, and for what can be run by somebody', () => {
    expect(changed('a+X', 0o600, true)).toBe('711');
    expect(changed('a+X', 0o600)).toBe('600');
    expect(changed('a-x+X', 0o700)).toBe('711'); // what it was before all changes
    expect(changed('u-x+X', 0o600)).toBe('600');
  });

  test.each(['', '99', '10000', '777777', 'u', 'u*x', 'x+u', 'u+q', '+x,'])('%j is none', (text) => {
    expect(parseFileMode(text)).toBeUndefined();
  });
});
