import { Help, type Command, type Option } from 'commander';
import type { Terminal } from '../terminal.ts';
import { cursorOf, type Cursor, type LineSoFar } from './cursor.ts';
import { buildIds, imageNames, stageNames } from './known-values.ts';
import { isList, placeholderOf, sourceOf, type Source } from './values.ts';

/** A word that may stand where the cursor is. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What a shell may offer: words, or names of files, which it finds better itself. */
export interface Completion {
  readonly files: 'files' | 'folders' | 'none';
  readonly candidates: readonly Candidate[];
}

const NOTHING: Completion = { files: 'none', candidates: [] };

/**
 * What may stand in place of the last of some words. Nothing is made, asked or locked for it: a store is only looked into.
 * @param words those behind the name of the program
 */
export async function complete(
  program: Command,
  words: readonly string[],
  terminal: Terminal,
): Promise<Completion> {
  const word = words.at(-1) ?? '';
  const { files, candidates } = await offersAt(cursorOf(program, words), word, terminal);
  return { files, candidates: candidates.filter(({ value }) => value.startsWith(word)) };
}

async function offersAt(cursor: Cursor, word: string, terminal: Terminal): Promise<Completion> {
  switch (cursor.kind) {
    case 'flag':
      return { files: 'none', candidates: flagsOf(cursor) };
    case 'command':
      return { files: 'none', candidates: commandsOf(cursor) };
    case 'argument': {
      const { argument } = cursor;
      if (argument?.argChoices !== undefined)
        return { files: 'none', candidates: argument.argChoices.map(plain) };
      return offersOf(argument === undefined ? undefined : sourceOf(argument.name()), cursor, terminal);
    }
    case 'value': {
      const { option, before } = cursor;
      const placeholder = placeholderOf(option.flags);
      const offers =
        option.argChoices === undefined
          ? await offersOf(sourceOf(placeholder), cursor, terminal)
          : { files: 'none' as const, candidates: option.argChoices.map(plain) };
      const given = isList(placeholder) ? word.slice(before.length).replace(/[^,]*$/, '') : '';
      return {
        ...offers,
        candidates: offers.candidates.map((each) => ({ ...each, value: `${before}${given}${each.value}` })),
      };
    }
  }
}

async function offersOf(
  source: Source | undefined,
  line: LineSoFar,
  terminal: Terminal,
): Promise<Completion> {
  switch (source) {
    case undefined:
      return NOTHING;
    case 'files':
    case 'folders':
      return { files: source, candidates: [] };
    case 'images':
      return { files: 'none', candidates: (await imageNames(line, terminal)).map(plain) };
    case 'stages':
      return { files: 'none', candidates: (await stageNames(line, terminal)).map(plain) };
    case 'builds':
      return { files: 'none', candidates: await buildIds(line, terminal) };
  }
}

function plain(value: string): Candidate {
  return { value, description: '' };
}

function commandsOf({ command, words }: LineSoFar): Candidate[] {
  const isName = words.length === 0 || (words.length === 1 && words[0] === 'help');
  if (!isName) return [];
  return new Help()
    .visibleCommands(command)
    .map((each) => ({ value: each.name(), description: each.summary() || each.description() }));
}

/** The flags that may still be given. */
function flagsOf({ command, values }: LineSoFar): Candidate[] {
  return new Help()
    .visibleOptions(command)
    .filter((option) => !values.has(option.long ?? '') || isRepeatable(option))
    .flatMap((option) => {
      const { long, description } = option;
      if (long === undefined || long === null) return [];
      // The value of such a flag stands behind =, and it need not have one.
      const whole = option.optional ? (option.argChoices ?? []).map((value) => `${long}=${value}`) : [];
      return [long, ...whole].map((value) => ({ value, description }));
    });
}

function isRepeatable({ defaultValue }: Option): boolean {
  return Array.isArray(defaultValue);
}
