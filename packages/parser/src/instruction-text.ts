import type { Diagnostic } from './diagnostic.ts';
import type { EscapeCharacter } from './directives.ts';
import { parseJsonForm } from './json-form.ts';
import { errorAt } from './diagnostic.ts';
import type { Command } from './ast.ts';
import type { Flag } from './flags.ts';
import type { Heredoc } from './heredoc.ts';
import type { LogicalLine } from './logical-line.ts';
import type { Range } from './source-text.ts';
import type { Span, Word } from './words.ts';

/** What an instruction is read from. */
export interface InstructionText {
  readonly line: LogicalLine;
  /** Its name, as written. */
  readonly keyword: Word;
  /** In upper case. */
  readonly name: string;
  readonly flags: readonly Flag[];
  /** What follows the name and the flags, without the blanks around it. */
  readonly args: Span;
  readonly escape: EscapeCharacter;
  readonly heredocs: readonly Heredoc[];
  /** From the name to the end, heredocs included. */
  readonly range: Range;
  readonly original: string;
  /** Tells what is wrong with it. */
  readonly report: (diagnostic: Diagnostic) => void;
}

/** What every instruction has in common. */
export function commonParts({ line, keyword, range, original }: InstructionText): {
  readonly range: Range;
  readonly keyword: Word;
  readonly text: string;
  readonly original: string;
  readonly emptyLines: readonly number[];
} {
  return { range, keyword, text: line.text.trim(), original, emptyLines: line.emptyLines };
}

/** Reports that something must follow, where nothing does. */
export function requireArguments(text: InstructionText, expected: string): boolean {
  if (text.args.end > text.args.start) return true;
  text.report(
    errorAt(text.keyword.range, 'missing-argument', `${text.name} needs an argument`, { expected }),
  );
  return false;
}

/** A command in either form. */
export function readCommand(text: InstructionText, { start, end }: Span): Command | undefined {
  const written = text.line.text.slice(start, end);
  const list = parseJsonForm(written);
  if (!list.ok) {
    text.report(
      errorAt(text.line.range(start, end), 'invalid-json', list.error.message, {
        expected: '["program", "argument"]',
        suggestion: list.error.suggestion,
      }),
    );
    return undefined;
  }
  return list.value === undefined ? { form: 'shell', text: written } : { form: 'exec', args: list.value };
}

/** For a word where none may be, which begins with `#`: somebody meant a comment. */
export const COMMENT_HINT = 'a comment stands on a line of its own';
