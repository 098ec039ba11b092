import type { EscapeCharacter } from '../directives.ts';
import type { LookUp } from '../environment.ts';
import { expandWord } from '../expand.ts';
import type { Range, SourceText } from '../source-text.ts';

/** A word, and the variables in it. */
export interface NotedWord {
  /** The word expanded; undefined where that fails. */
  readonly value: string | undefined;
  /** All variables that it asks for. */
  readonly used: ReadonlySet<string>;
  /** Those that have no value. */
  readonly unset: ReadonlySet<string>;
}

/** Expands a word, and notes which variables it asks for. */
export function noteVariables(
  text: string,
  env: LookUp,
  escape: EscapeCharacter,
  { keepsQuotes = false }: { readonly keepsQuotes?: boolean } = {},
): NotedWord {
  const used = new Set<string>();
  const unset = new Set<string>();
  const noting: LookUp = {
    get: (name) => {
      const value = env.get(name);
      used.add(name);
      if (value === undefined) unset.add(name);
      return value;
    },
  };
  const expanded = expandWord(text, noting, { escape, keepsQuotes });
  return { value: expanded.ok ? expanded.value : undefined, used, unset };
}

/** A variable, its name, and the rest of it where that is simple: `$name`, `${name}`, `${name:-default}`. */
const VARIABLE = /(?<!\\)\$(?<brace>\{?)(?<name>[\p{L}_][\p{L}\p{Nd}_]*|\p{Nd}+|[@*#?$!-])/gu;
const REST = /[^{}$]*\}/y;

/** Where a variable is asked for in a piece of the file; the whole piece if it is not found. */
export function placeOfVariable(source: SourceText, range: Range, name: string): Range {
  const text = source.text.slice(range.start.offset, range.end.offset);
  const found = [...text.matchAll(VARIABLE)].find(({ groups }) => groups?.['name'] === name);
  if (found === undefined) return range;
  REST.lastIndex = found.index + found[0].length;
  const rest = found.groups?.['brace'] === '' ? '' : (REST.exec(text)?.[0] ?? '');
  const start = range.start.offset + found.index;
  return source.range(start, start + found[0].length + rest.length);
}
