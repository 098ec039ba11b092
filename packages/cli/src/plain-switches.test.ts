import { Command } from 'commander';
import { expect, test } from 'vitest';
import { withPlainSwitches } from './plain-switches.ts';

const switches = (command: Command): Command =>
  command.option('-q, --quiet').option('--no-cache').option('--pull [when]').option('-t, --tag <name>');
const program = new Command('caisson')
  .addCommand(switches(new Command('build')))
  .addCommand(switches(new Command('run')));
const plain = (line: string): string => withPlainSwitches(line.split(' '), program).join(' ');

test.each([
  ['build --no-cache=true .', 'build --no-cache .'],
  ['build --no-cache=false .', 'build .'],
  ['build --no-cache=0 -q=1 .', 'build -q .'],
  ['build -q=F --quiet=T .', 'build --quiet .'],
  ['build -q --quiet --quiet=false .', 'build .'],
  ['build -q=false -q .', 'build -q .'],
  ['--root /s build --quiet=TRUE .', '--root /s build --quiet .'],
])('%s is %s', (line, expected) => expect(plain(line)).toBe(expected));

test.each([
  'build --no-cache=maybe .',
  'build --quiet= .',
  'build --tag=true .',
  'build --unknown=true .',
  'build -- --quiet=true',
  'run image --quiet=true',
  'nothing --quiet=true',
  'build constructor',
  'toString toString',
])('%s is left as it is', (line) => expect(plain(line)).toBe(line));

test('a flag with an optional value is a switch where it stands alone', () => {
  expect(plain('build --pull .')).toBe('build --pull=always .');
  expect(plain('build --pull=never .')).toBe('build --pull=never .');
  expect(plain('build --pull=true .')).toBe('build --pull=true .'); // its own words
});
