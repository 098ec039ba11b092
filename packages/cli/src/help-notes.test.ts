import { Command } from 'commander';
import { expect, test } from 'vitest';
import { helpNotes, type HelpNotes } from './help-notes.ts';
import { makeProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

const NOTES: HelpNotes = {
  examples: [['do this', 'what it is for'], ['do that'], ['do other things', 'and for what else there is']],
  text: ['A paragraph that has some more words in it.', 'Exit codes: 0 done.'],
};

function notesAt(width: number): string {
  const command = new Command('do').configureOutput({ getOutHelpWidth: () => width });
  return helpNotes(NOTES)({ command, error: false });
}

test('examples say behind them what they are for', () => {
  expect(notesAt(80)).toBe(`
Examples:
  do this          # what it is for
  do that
  do other things  # and for what else there is

A paragraph that has some more words in it.
Exit codes: 0 done.
`);
});

test('or above them where there is no room; paragraphs are wrapped', () => {
  expect(notesAt(40)).toBe(`
Examples:
  # what it is for
  do this
  do that
  # and for what else there is
  do other things

A paragraph that has some more words in
it.
Exit codes: 0 done.
`);
});

test.each([30, 40, 50, 60, 80])(
  'no help is wider than %i columns, but for flags and command lines',
  (columns) => {
    const terminal = { ...processTerminal(), env: { COLUMNS: String(columns) } };
    const program = makeProgram({ terminal, finish: () => {} });
    for (const command of [program, ...program.createHelp().visibleCommands(program)]) {
      const wide = command
        .helpInformation()
        .split('\n')
        .filter((line) => line.length > columns);
      // What cannot be broken stands alone.
      expect(
        wide.filter((line) => !/^Usage: |^ +\S+$|^ +-\S+(?:, --\S+)? \S+$| \[options\] /.test(line)),
      ).toEqual([]);
    }
  },
);
