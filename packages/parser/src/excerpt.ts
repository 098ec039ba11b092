import type { Range, SourceText } from './source-text.ts';

/** How much of a text is shown around a place, and how. */
export interface ExcerptOptions {
  /** Lines before the marked ones. */
  readonly context?: number;
  /** The longest line shown, in characters. */
  readonly width?: number;
}

const MAX_MARKED_LINES = 6;
const ELLIPSIS = '...';

/**
 * The lines around a place, with their numbers, the place marked by carets. Control characters are shown as symbols:
 * a Dockerfile cannot move the cursor of whoever reads about it.
 */
export function formatExcerpt(
  source: SourceText,
  range: Range,
  { context = 1, width = 100 }: ExcerptOptions = {},
): string {
  const first = Math.max(1, range.start.line - context);
  const isEmptyEnd = range.end.line > range.start.line && range.end.column === 1;
  const lastMarked = isEmptyEnd ? range.end.line - 1 : range.end.line;
  const last = Math.min(lastMarked, range.start.line + MAX_MARKED_LINES - 1);
  const gutter = String(last).length;
  const lines: string[] = [];
  for (let number = first; number <= last; number++) {
    const text = source.line(number);
    const isMarked = number >= range.start.line;
    const from = number === range.start.line ? range.start.column - 1 : indentOf(text);
    const to = number === range.end.line ? range.end.column - 1 : text.length;
    const window = windowOf(text, isMarked ? from : 0, width);
    lines.push(`${isMarked ? '>' : ' '} ${String(number).padStart(gutter)} | ${show(window.text)}`.trimEnd());
    if (!isMarked) continue;
    const before = show(window.text.slice(0, from - window.start)).replace(/[^\t]/gu, ' ');
    const length = Math.max(
      1,
      displayWidth(show(window.text.slice(from - window.start, Math.max(to, from) - window.start))),
    );
    lines.push(`  ${' '.repeat(gutter)} | ${before}${'^'.repeat(length)}`);
  }
  if (last < lastMarked) lines.push(`  ${' '.repeat(gutter)} | ${ELLIPSIS} up to line ${lastMarked}`);
  return lines.join('\n');
}

function indentOf(text: string): number {
  return /^\s*/.exec(text)?.[0].length ?? 0;
}

/** The part of a long line in which a character is to be seen. */
function windowOf(text: string, at: number, width: number): { text: string; start: number } {
  if (text.length <= width) return { text, start: 0 };
  const start = Math.max(0, Math.min(at - Math.floor(width / 3), text.length - width));
  const end = Math.min(text.length, start + width);
  const head = start > 0 ? ELLIPSIS : '';
  const tail = end < text.length ? ELLIPSIS : '';
  return { text: `${head}${text.slice(start, end)}${tail}`, start: start - head.length };
}

/** A text without anything that a terminal would act on; a tab is four blanks. */
export function show(text: string): string {
  return text
    .replaceAll('\t', '    ')
    .replace(/[\u0000-\u001f]/g, (control) => String.fromCharCode(0x2400 + control.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
}

/** How many columns a text takes: wide characters take two. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text)
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u.test(
        character,
      )
        ? 2
        : 1;
  return width;
}
