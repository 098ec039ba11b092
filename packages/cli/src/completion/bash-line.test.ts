import { expect, test } from 'vitest';
import { readBashLine } from './bash-line.ts';

const BREAKS = ' \t\n"\'><=;|&(:';

test.each([
  ['caisson bu', ['bu'], 0],
  ['caisson build ', ['build', ''], 0],
  ['caisson build --progress=pl', ['build', '--progress=pl'], '--progress='.length],
  ['caisson rmi app:1', ['rmi', 'app:1'], 'app:'.length],
  ['caisson rmi "app:1', ['rmi', 'app:1'], 0],
  ["caisson build -f 'my fi", ['build', '-f', 'my fi'], 0],
  ['caisson build -f my\\ fi', ['build', '-f', 'my fi'], 0],
  ['caisson build -f $(rm -rf x) ', ['build', '-f', '$(rm', '-rf', 'x)', ''], 0],
])('%s', (line, words, kept) => {
  expect(readBashLine(line, BREAKS)).toEqual({ words, kept });
});

test('what ends words is for the user to say', () => {
  expect(readBashLine('caisson rmi app:1', ' =')).toEqual({ words: ['rmi', 'app:1'], kept: 0 });
});
