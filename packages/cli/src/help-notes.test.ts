import { Command } from 'commander';
import { expect, test } from 'vitest';
import { helpNotes, type HelpNotes } from './help-notes.ts';

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
