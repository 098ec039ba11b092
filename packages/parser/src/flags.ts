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
    const { text, end } = readFlagWord(line.text, start, span.end, escape);
    if (text === '--') return { flags, rest: { start: end, end: span.end } };
    const equals = text.indexOf('=');
    const name = equals === -1 ? text.slice(2) : text.slice(2, equals);
    flags.push({
      name,
      value: equals === -1 ? undefined : text.slice(equals + 1),
      range: line.range(start, end),
    });
    start = end;
  }
}

/** One flag, its quotes and escapes taken away. */
function readFlagWord(
  text: string,
  start: number,
  end: number,
  escape: EscapeCharacter,
): { text: string; end: number } {
  let out = '';
  let quote: string | undefined;
  let at = start;
  for (; at < end; at++) {
    const character = text[at] ?? '';
    if (character === escape && at + 1 < end) {
      at++;
      out += text[at] ?? '';
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else out += character;
    } else if (character === '"' || character === "'") quote = character;
    else if (/\s/.test(character)) break;
    else out += character;
  }
  return { text: out, end: at };
}

/** What is wrong with an instruction's flags. */
export function checkFlags(keyword: string, flags: readonly Flag[], rules: FlagRules): Diagnostic[] {
  const { value = [], repeated = [], boolean = [] } = rules;
  const known = [...value, ...repeated, ...boolean];
  const seen = new Set<string>();
  const diagnostics: Diagnostic[] = [];
  for (const { name, value: given, range } of flags) {
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
          errorAt(range, 'invalid-flag', `--${name} is on or off, not ${JSON.stringify(given)}`, {
            expected: `--${name}, --${name}=true or --${name}=false`,
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
