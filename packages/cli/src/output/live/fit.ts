import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';

const TAB = 8;

/** How many columns a text takes. */
export function width(text: string): number {
  return stringWidth(text);
}

/** A text in so many columns at most; one that is longer ends in an ellipsis. */
export function cut(text: string, columns: number): string {
  if (columns <= 0) return '';
  // Nobody sees more of it, and measuring a text takes its time.
  const beginning = text.slice(0, 16 * columns);
  if (width(beginning) <= columns) return beginning;
  return `${sliceAnsi(beginning, 0, columns - 1)}…`;
}

/** A text with spaces behind it, so many columns wide. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)));
}

/** A text with spaces in place of tabs. */
export function withoutTabs(text: string): string {
  if (!text.includes('\t')) return text;
  const [first = '', ...rest] = text.split('\t');
  return rest.reduce((line, part) => pad(line, (Math.floor(width(line) / TAB) + 1) * TAB) + part, first);
}
