import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { GlobExpression, type GlobPiece } from './glob-expression.ts';
import { createIgnoreMatcher } from './ignore-matcher.ts';

const piece = fc.oneof(
  fc.constantFrom('a', 'b', '/', '[^/]').map((source): GlobPiece => ({ kind: 'one', source })),
  fc.boolean().map((holdsSlash): GlobPiece => ({ kind: 'run', holdsSlash })),
  fc.constant<GlobPiece>({ kind: 'folders' }),
);

test('what is followed side by side fits as the regular expression does', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 12 });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), text, (pieces, short) => {
      // Runs that stand for nothing make the regular expression too slow to be used.
      const empty = Array.from({ length: 24 }, (): GlobPiece => ({ kind: 'run', holdsSlash: false }));
      const slow = new GlobExpression(pieces.flatMap((each) => (isStar(each) ? [each, ...empty] : [each])));
      expect(slow.test(short)).toBe(new GlobExpression(pieces).test(short));
    }),
    { numRuns: 2000 },
  );
});

function isStar(each: GlobPiece): boolean {
  return each.kind === 'run' && !each.holdsSlash;
}

test('a rule that would take years takes no time', () => {
  const matcher = createIgnoreMatcher('a*a*a*a*a*a*a*a*b\n**/**/**/**/**/**/**/**/c\n');
  expect(matcher.ignores('a'.repeat(4000))).toBe(false);
  expect(matcher.ignores(`${'a'.repeat(4000)}b`)).toBe(true);
  expect(matcher.ignores(`${'a/'.repeat(500)}c`)).toBe(true);
});
