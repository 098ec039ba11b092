import { SourceText } from '@caisson/parser';
import { describe, expect, test } from 'vitest';
import { buildFailureText, warningText } from './failure-text.ts';

const source = new SourceText('FROM scratch\nRUN false\n');
const start = { line: 2, column: 1, offset: 13 };
const end = { line: 2, column: 10, offset: 22 };

/** What a name of a file, or a step, can do to a terminal: set its title, colour it, move the cursor. */
const EVIL = '\u001b]0;title\u0007\u001b[31mx\u009b2J\ry';
const SEEN = '␛]0;title␇␛[31mx\ufffd2J␍y';

describe('a terminal obeys nothing of what went wrong', () => {
  test('with a place', () => {
    const failure = {
      code: 'step-failed',
      message: `a ${EVIL}\nb`,
      place: { path: EVIL, source, range: { start, end } },
      expected: EVIL,
      suggestion: EVIL,
      hint: EVIL,
      details: [`one ${EVIL}`, 'two\tthree'],
      log: EVIL,
    } as const;
    expect(buildFailureText(failure, false).split('\n')).toEqual([
      `error[step-failed]: a ${SEEN}`,
      'b',
      `  at ${SEEN}:2:1`,
      '  1 | FROM scratch',
      '> 2 | RUN false',
      '    | ^^^^^^^^^',
      `  expected: ${SEEN}`,
      `  did you mean ${SEEN}?`,
      `  hint: ${SEEN}`,
      '  its last output:',
      '  | one xy',
      '  | two\tthree',
      `  all of it: ${SEEN}`,
      '  see docs/errors.md#step-failed',
      '',
    ]);
  });

  test('without a place', () => {
    expect(warningText({ message: EVIL, hint: EVIL }, false)).toBe(`warning: ${SEEN}\n  hint: ${SEEN}\n`);
  });
});
