import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDockerfile } from './parse.ts';

/** The platform of the first FROM of a text, with the text. */
function platformOf(text: string) {
  const { dockerfile } = parseDockerfile(text);
  return { source: dockerfile.source.text, platform: dockerfile.stages[0]?.from.platform };
}

test.each([
  ['FROM --platform=a/b x', 'a/b'],
  ['FROM --platform="a b" x', 'a b'],
  ['FROM --platform=a" "b x', 'a" "b'],
  ['FROM --platform=a\\ b x', 'a\\ b'],
  ['FROM --platform=a\\\n# between\nb x', 'a\\\n# between\nb'],
  ['FROM --platform= x', '--platform='],
  ['FROM --platform x', '--platform'],
])('the value of %j stands at %j', (text, expected) => {
  const { source, platform } = platformOf(text);
  expect(source.slice(platform?.valueRange.start.offset, platform?.valueRange.end.offset)).toBe(expected);
});

test('each character of a value stands where it is said to, whatever quotes and escapes there are', () => {
  const piece = fc.constantFrom(
    'a',
    '/',
    '=',
    ',',
    '"',
    "'",
    '\\',
    ' ',
    '\t',
    '\\\n',
    '\\ \n  ',
    '\\\n# c\n',
    '\u{1f600}',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const { source, platform } = platformOf(`FROM --platform=${pieces.join('')} x`);
      const value = platform?.value ?? '';
      for (let at = 0; at < value.length; at++) {
        const { start, end } = platform?.rangeOf({ start: at, end: at + 1 }) ?? {};
        expect(source.slice(start?.offset, end?.offset)).toBe(value[at]);
      }
    }),
    { numRuns: 2000 },
  );
});
