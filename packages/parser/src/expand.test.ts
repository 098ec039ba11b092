import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandWord, expandWords } from './expand.ts';

const ENV = new Map([
  ['A', 'value'],
  ['E', ''],
  ['P', '/usr/local/bin'],
  ['S', 'two  words'],
]);

describe('expandWord', () => {
  // As BuildKit: docs.docker.com/reference/dockerfile/#environment-replacement
  test.each([
    ['$A', 'value'],
    ['${A}s', 'values'],
    ['$As', ''],
    ['\\$A', '$A'],
    ["'$A'", '$A'],
    ['"$A"', 'value'],
    ['"a\\"b"', 'a"b'],
    ['${U:-default}', 'default'],
    ['${E:-default}', 'default'],
    ['${E-default}', ''],
    ['${U-default}', 'default'],
    ['${A:+other}', 'other'],
    ['${E:+other}', ''],
    ['${E+other}', 'other'],
    ['${U:-${A}}', 'value'],
    ['${U:-"a b"}', 'a b'],
    ['${P#/usr}', '/local/bin'],
    ['${P##*/}', 'bin'],
    ['${P%/*}', '/usr/local'],
    ['${P%%/*}', ''],
    ['${P/local/other}', '/usr/other/bin'],
    ['${P//\\//:}', ':usr:local:bin'],
    ['$', '$'],
    ['$$', ''], // a special parameter of shells, which is never set
    ['a$1b', 'ab'],
  ])('%s is %j', (word, expected) => {
    expect(expandWord(word, ENV)).toEqual({ ok: true, value: expected });
  });

  test.each([
    ['${A', "missing '}'"],
    ['${U:?is needed}', 'is needed'],
    ['${E:?}', 'E'],
    ['${A!x}', '${A!x}'],
    ['"open', 'quote'],
  ])('%s cannot be', (word, why) => {
    const expanded = expandWord(word, ENV);
    expect(expanded.ok ? '' : expanded.error.message).toContain(why);
    expect(expanded.ok).toBe(false);
  });

  test('another escape character', () => {
    expect(expandWord('`$A\\', ENV, { escape: '`' })).toEqual({ ok: true, value: '$A\\' });
  });

  test('words are split at unquoted blanks, those of values too', () => {
    expect(expandWords('$S "$S" a', ENV)).toEqual({ ok: true, value: ['two', 'words', 'two  words', 'a'] });
  });

  test('never throws', () => {
    const piece = fc.constantFrom(
      '$',
      '{',
      '}',
      'A',
      ':-',
      ':?',
      '#',
      '##',
      '%',
      '/',
      '//',
      '"',
      "'",
      '\\',
      ' ',
      '*',
      '[',
      '(',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const expanded = expandWord(pieces.join(''), ENV);
        expect(typeof (expanded.ok ? expanded.value : expanded.error.message)).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });
});
