import { oneOf } from '../parse-options.ts';
import type { Terminal } from '../terminal.ts';
import { inertFor } from './ci/ci-format.ts';
import { table } from './table.ts';

export const FORMAT_FLAG = '--format <kind>';
export const FORMAT_HELP = 'table for people, json for programs';

/** What a command has to show: rows for people, values for programs. */
export interface Listing<T> {
  readonly headings: readonly string[];
  readonly row: (value: T) => readonly string[];
}

/** Prints values as a table, or as one JSON array. @throws UsageError for another format */
export function printListing<T>(
  terminal: Terminal,
  format: string | undefined,
  values: readonly T[],
  { headings, row }: Listing<T>,
): void {
  if (oneOf('--format', format ?? 'table', ['table', 'json']) === 'json') printJson(terminal, values);
  else inertFor(terminal).out(table(headings, values.map(row)));
}

/** Prints a value for programs. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out(`${JSON.stringify(value, undefined, 2)}\n`);
}
