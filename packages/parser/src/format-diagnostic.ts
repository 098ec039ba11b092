import type { Diagnostic } from './diagnostic.ts';
import { formatExcerpt } from './excerpt.ts';
import type { SourceText } from './source-text.ts';

/** How to print diagnostics. */
export interface FormatOptions {
  /** What to call the file. */
  readonly path: string;
  readonly source: SourceText;
  /** Whether to use the colours of a terminal. */
  readonly color?: boolean;
}

const RED = '\u001b[31m';
const YELLOW = '\u001b[33m';
const BOLD = '\u001b[1m';
const RESET = '\u001b[0m';

/**
 * A diagnostic (an empty code is not shown) as people read it: what, where, the marked lines, what would have been right. Several lines, without
 * a newline at the end.
 */
export function formatDiagnostic(
  diagnostic: Omit<Diagnostic, 'code'> & { readonly code: string },
  { path, source, color = false }: FormatOptions,
): string {
  const { severity, code, message, range, expected, suggestion, hint, page } = diagnostic;
  const label = code === '' ? severity : `${severity}[${code}]`;
  const paint = (style: string, text: string): string => (color ? `${style}${text}${RESET}` : text);
  const tint = severity === 'error' ? RED : YELLOW;
  const excerpt = formatExcerpt(source, range)
    .split('\n')
    .map((line) => (/^ +\| *\^+$/.test(line) ? paint(tint, line) : line));
  return [
    `${paint(tint, label)}: ${paint(BOLD, message)}`,
    `  at ${path}:${range.start.line}:${range.start.column}`,
    ...excerpt,
    ...(expected === undefined ? [] : [`  expected: ${expected}`]),
    ...(suggestion === undefined ? [] : [`  did you mean ${suggestion}?`]),
    ...(hint === undefined ? [] : [`  hint: ${hint}`]),
    ...(page === undefined ? [] : [`  see ${page}`]),
  ].join('\n');
}
