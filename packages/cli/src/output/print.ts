import type { Option } from 'commander';
import { choiceOption } from '../choice-option.ts';
import { oneOf } from '../parse-options.ts';
import type { Terminal } from '../terminal.ts';
import { inertFor } from './ci/ci-format.ts';
import { inertJson } from './ci/inert-json.ts';
import { table } from './table.ts';

const FLAG = '--format <kind>';
const OF_LISTINGS = ['table', 'json'] as const;
const OF_TEXTS = ['text', 'json'] as const;

/** `--format` of a command that prints a listing. */
export function listingFormat(): Option {
  return choiceOption(FLAG, 'table for people, json for programs', OF_LISTINGS);
}

/** `--format` of a command that prints text. @param more what is to be said of it besides */
export function textFormat(more = ''): Option {
  return choiceOption(FLAG, `text for people, json for programs${more}`, OF_TEXTS);
}

/** What `--format` says, of a command that prints a listing. @throws UsageError */
export function parseListingFormat(flag: string | undefined): 'table' | 'json' {
  return oneOf('--format', flag ?? 'table', OF_LISTINGS);
}

/** What `--format` says, of a command that prints text. @throws UsageError */
export function parseTextFormat(flag: string | undefined): 'text' | 'json' {
  return oneOf('--format', flag ?? 'text', OF_TEXTS);
}

/** What a command has to show: rows for people, values for programs. */
export interface Listing<T> {
  readonly headings: readonly string[];
  readonly row: (value: T) => readonly string[];
  /** Nothing of it is cut, though the terminal be narrow. */
  readonly isWhole?: boolean;
}

/** Prints values as a table, or as one JSON array. */
export function printListing<T>(
  terminal: Terminal,
  format: 'table' | 'json',
  values: readonly T[],
  { headings, row, isWhole = false }: Listing<T>,
): void {
  if (format === 'json') printJson(terminal, values);
  else inertFor(terminal).out(table(headings, values.map(row), isWhole ? undefined : terminal.outColumns));
}

/** Prints a value for programs. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out(`${inertJson(value, 2)}\n`);
}
