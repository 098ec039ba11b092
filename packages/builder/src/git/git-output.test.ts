import { expect, test } from 'vitest';
import { printableLines } from './git-output.ts';

test.each([
  ['one\ntwo\n', ['one', 'two']],
  ['progress 1%\rprogress 2%\r\ndone', ['progress 1%', 'progress 2%', 'done']],
  [
    "fatal: unable to access 'https://me:s3cret@host/x.git/'",
    ["fatal: unable to access 'https://host/x.git/'"],
  ],
  [
    'remote: \u001B[31mred\u001B[0m \u001B]8;;http://evil\u0007link\u001B]8;;\u0007\u0007',
    ['remote: red link'],
  ],
  ['a\u009b2Jb\u0000c', ['abc']],
  ['\n  \n', []],
  [
    Array.from({ length: 20 }, (_, index) => String(index)).join('\n'),
    ['12', '13', '14', '15', '16', '17', '18', '19'],
  ],
])('%j', (text, lines) => {
  expect(printableLines(text)).toEqual(lines);
});
