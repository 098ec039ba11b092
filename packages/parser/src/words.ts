import type { EscapeCharacter } from './directives.ts';
import type { LogicalLine } from './logical-line.ts';
import type { Range } from './source-text.ts';

/** A word as it was written: nothing in it is expanded, and its quotes are there. */
export interface Word {
  readonly text: string;
  readonly range: Range;
}

/** A piece of a logical line. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const BLANK = /\s/;

/** The words of a piece of a line, split at blanks alone: quotes mean nothing here. */
export function plainWords(line: LogicalLine, { start, end }: Span): Word[] {
  const words: Word[] = [];
  for (const match of line.text.slice(start, end).matchAll(/\S+/g)) {
    const at = start + match.index;
    words.push({ text: match[0], range: line.range(at, at + match[0].length) });
  }
  return words;
}

/** The words of a piece of a line, where quotes hold blanks and the escape character holds the next one. */
export function quotedWords(line: LogicalLine, { start, end }: Span, escape: EscapeCharacter): Word[] {
  const { text } = line;
  const words: Word[] = [];
  let at = start;
  while (at < end) {
    while (at < end && BLANK.test(text[at] ?? '')) at++;
    if (at >= end) break;
    const from = at;
    at = endOfWord(text, at, end, escape);
    words.push({ text: text.slice(from, at), range: line.range(from, at) });
  }
  return words;
}

/** Where a word ends that begins at a place. */
function endOfWord(text: string, from: number, end: number, escape: EscapeCharacter): number {
  let quote: string | undefined;
  let at = from;
  for (; at < end; at++) {
    const character = text[at] ?? '';
    if (character === escape && quote !== "'") at++;
    else if (quote !== undefined) quote = character === quote ? undefined : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (BLANK.test(character)) break;
  }
  return Math.min(at, end);
}

/** A piece of a line without the blanks around it. */
export function trimmed(line: LogicalLine, { start, end }: Span): Span {
  const text = line.text.slice(start, end);
  const lead = text.length - text.trimStart().length;
  return { start: start + lead, end: Math.max(start + lead, start + text.trimEnd().length) };
}

/** A piece of a line as one word. */
export function wholeWord(line: LogicalLine, span: Span): Word {
  const { start, end } = trimmed(line, span);
  return { text: line.text.slice(start, end), range: line.range(start, end) };
}
