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

test('where there is no room for all, what is longest is cut; ids never are', () => {
  const rows = [['registry.example.com/team/application', '0123456789abcdef', 'a note that says much', '1']];
  const headings = ['NAME', 'ID', 'NOTE', 'N'];
  expect(table(headings, rows, 70).split('\n')).toEqual([
    'NAME                      ID                 NOTE                    N',
    'registry.example.com...   0123456789abcdef   a note that says much   1',
    '',
  ]);
  expect(table(headings, rows, 20).split('\n')[1]).toBe(
    'registry.exam...   0123456789abcdef   a note that s...   1',
  );
});
