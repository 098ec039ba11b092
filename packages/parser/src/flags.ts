import { errorAt, type Diagnostic } from './diagnostic.ts';
import type { EscapeCharacter } from './directives.ts';
import type { LogicalLine } from './logical-line.ts';
import type { Range } from './source-text.ts';
import { suggest } from './suggest.ts';
import type { Span } from './words.ts';

/** A flag before the arguments of an instruction: `--name=value`. */
export interface Flag {
  readonly name: string;
  /** Without quotes and escapes; undefined for a bare `--name`. */
  readonly value: string | undefined;
  readonly range: Range;
  /** Of its value; of the whole flag where that is none. */
  readonly valueRange: Range;
  /** Where a piece of its value stands. */
  readonly rangeOf: (span: Span) => Range;
}

/** How an instruction's flags are. */
export interface FlagRules {
  /** A flag that takes a value. */
  readonly value?: readonly string[];
  /** A flag that takes a value and may be given again. */
  readonly repeated?: readonly string[];
  /** A flag that is on when it is there; `=true` and `=false` may be said. */
  readonly boolean?: readonly string[];
}

/** The flags at the beginning of a piece of a line, and where the rest begins. A bare `--` ends them. */
export function readFlags(
  line: LogicalLine,
  span: Span,
  escape: EscapeCharacter,
): { flags: Flag[]; rest: Span } {
  const flags: Flag[] = [];
  let { start } = span;
  for (;;) {
    while (start < span.end && /\s/.test(line.text[start] ?? '')) start++;
    if (!line.text.startsWith('--', start) || start >= span.end)
      return { flags, rest: { start, end: span.end } };
    const word = readFlagWord(line.text, start, span.end, escape);
    const { end } = word;
    if (word.text === '--') return { flags, rest: { start: end, end: span.end } };
    flags.push(flagOf(line, start, word));
    start = end;
  }
}

function flagOf(line: LogicalLine, start: number, { text, places, end }: FlagWord): Flag {
  const range = line.range(start, end);
  const equals = text.indexOf('=');
  if (equals === -1)
    return { name: text.slice(2), value: undefined, range, valueRange: range, rangeOf: () => range };
  const value = text.slice(equals + 1);
  const rangeOf = (piece: Span): Range => {
    const from = equals + 1 + piece.start;
    const to = equals + 1 + piece.end;
    // A piece ends behind its last character: what stands before the next one may be a quote.
    return to > from ? line.range(places[from] ?? end, (places[to - 1] ?? end - 1) + 1) : range;
  };
  const valueRange = rangeOf({ start: 0, end: value.length });
  return { name: text.slice(2, equals), value, range, valueRange, rangeOf };
}

/** A flag, its quotes and escapes taken away. */
interface FlagWord {
  readonly text: string;
  /** Where each of its characters stands in the line. */
  readonly places: readonly number[];
  readonly end: number;
}

function readFlagWord(text: string, start: number, end: number, escape: EscapeCharacter): FlagWord {
  let out = '';
  const places: number[] = [];
  let quote: string | undefined;
  let at = start;
  const keep = (character: string): void => {
    out += character;
    places.push(at);
  };
  for (; at < end; at++) {
    const character = text[at] ?? '';
    if (character === escape && at + 1 < end) {
      at++;
      keep(text[at] ?? '');
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else keep(character);
    } else if (character === '"' || character === "'") quote = character;
    else if (/\s/.test(character)) break;
    else keep(character);
  }
  return { text: out, places, end: at };
}

/** What is wrong with an instruction's flags. */
export function checkFlags(keyword: string, flags: readonly Flag[], rules: FlagRules): Diagnostic[] {
  const { value = [], repeated = [], boolean = [] } = rules;
  const known = [...value, ...repeated, ...boolean];
  const seen = new Set<string>();
  const diagnostics: Diagnostic[] = [];
  for (const { name, value: given, range, valueRange } of flags) {
    if (!known.includes(name)) {
      const near = suggest(name, known);
      diagnostics.push(
        errorAt(range, 'unknown-flag', `${keyword} has no flag --${name}`, {
          ...(known.length === 0 ? {} : { expected: known.map((each) => `--${each}`).join(', ') }),
          suggestion: near === undefined ? undefined : `--${near}`,
        }),
      );
      continue;
    }
    if (seen.has(name) && !repeated.includes(name)) {
      diagnostics.push(
        errorAt(range, 'duplicate-flag', `the flag --${name} is given twice`, { expected: `one --${name}` }),
      );
    }
    seen.add(name);
    if (boolean.includes(name)) {
      if (given !== undefined && !/^(?:true|false)$/i.test(given)) {
        diagnostics.push(
          errorAt(valueRange, 'invalid-flag', `--${name} is on or off, not ${JSON.stringify(given)}`, {
            expected: `--${name}, --${name}=true or --${name}=false`,
            suggestion: suggest(given, ['true', 'false']),
          }),
        );
      }
    } else if (given === undefined) {
      diagnostics.push(
        errorAt(range, 'invalid-flag', `the flag --${name} needs a value`, {
          expected: `--${name}=VALUE, without a blank`,
        }),
      );
    }
  }
  return diagnostics;
}

/** The value of a flag; undefined where it is not there. */
export function flagValue(flags: readonly Flag[], name: string): string | undefined {
  return flags.find((flag) => flag.name === name)?.value;
}

/** Whether a flag that is on or off is on. */
export function isFlagOn(flags: readonly Flag[], name: string): boolean {
  const flag = flags.find((each) => each.name === name);
  return flag !== undefined && flag.value?.toLowerCase() !== 'false';
}
