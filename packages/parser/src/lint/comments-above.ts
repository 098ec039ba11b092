import type { Dockerfile, Instruction } from '../ast.ts';
import { isComment } from '../logical-line.ts';
import type { Range } from '../source-text.ts';

/** A line that holds nothing but a comment. */
export interface CommentLine {
  /** Without the `#` and the blanks around it. */
  readonly text: string;
  readonly range: Range;
}

/** Whether a comment sets something for the instruction below it: `check=skip=RULE`. */
export function isOwnSettings(text: string): boolean {
  return /^check\s*=/i.test(text);
}

/**
 * The comment lines between an instruction and what comes before it; empty lines between do not divide them, as docker
 * has it. The directives at the top of the file are none.
 */
export function commentsAbove({ source, directives }: Dockerfile, { range }: Instruction): CommentLine[] {
  const { syntax, escape, check } = directives;
  const lastDirective = Math.max(0, ...[syntax, escape, check].map((each) => each?.range.start.line ?? 0));
  const comments: CommentLine[] = [];
  for (let line = range.start.line - 1; line > lastDirective; line--) {
    const text = source.line(line);
    if (text.trim() === '') continue;
    if (!isComment(text)) break;
    const whole = source.lineRange(line);
    const indent = text.length - text.trimStart().length;
    comments.unshift({
      text: text.trim().slice(1).trim(),
      range: source.range(whole.start.offset + indent, whole.end.offset),
    });
  }
  return comments;
}
