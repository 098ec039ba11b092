import { expect, test } from 'vitest';
import { table } from './table.ts';

test('columns are as wide as what stands in them, and nothing in them can be obeyed', () => {
  expect(
    table(
      ['A', 'HEADING', 'C'],
      [
        ['long \u001b[31mred\u001b[0m', 'x', ''],
        ['one\ntwo', '\u001b]0;title\u0007y', 'z'],
      ],
    ),
  ).toBe(['A          HEADING   C', 'long red   x', 'one\\ntwo   y         z', ''].join('\n'));
});
