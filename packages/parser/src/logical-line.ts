import type { EscapeCharacter } from './directives.ts';
import type { Position, Range, SourceText } from './source-text.ts';

/**
 * One instruction as the language sees it: its lines joined, without what joins them and without the comments between
 * them. Every character knows where it stands in the file.
 */
export class LogicalLine {
  readonly text: string;
  /** The physical lines, from 1. */
  readonly firstLine: number;
  /** The last line before any heredoc bodies. */
  readonly lastLine: number;
  /** Empty physical lines among them, which were skipped. */
  readonly emptyLines: readonly number[];
  readonly #source: SourceText;
  readonly #pieces: readonly Piece[];
  /** Where each piece begins in the joined text. */
  readonly #starts: number[] = [];

  constructor(
    source: SourceText,
    pieces: readonly Piece[],
    lines: { readonly first: number; readonly last: number; readonly empty: readonly number[] },
  ) {
    this.#source = source;
    this.#pieces = pieces;
    this.text = pieces.map((piece) => piece.text).join('');
    let start = 0;
    for (const piece of pieces) {
      this.#starts.push(start);
      start += piece.text.length;
    }
    this.firstLine = lines.first;
    this.lastLine = lines.last;
    this.emptyLines = lines.empty;
  }

  /** Where a character of the joined text stands in the file. */
  position(at: number): Position {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    const piece = this.#pieces[low];
    if (piece === undefined) return this.#source.position(this.#source.lineStart(this.firstLine));
    const within = Math.min(at - (this.#starts[low] ?? 0), piece.text.length);
    return this.#source.position(piece.offset + within);
  }

  /** Where a piece of the joined text stands in the file. */
  range(start: number, end: number): Range {
    const from = this.position(start);
    if (end <= start) return { start: from, end: from };
    const last = this.position(end - 1);
    return { start: from, end: { line: last.line, column: last.column + 1, offset: last.offset + 1 } };
  }

  /** The whole of it. */
  get whole(): Range {
    const lead = this.text.length - this.text.trimStart().length;
    return this.range(lead, this.text.trimEnd().length);
  }
}

interface Piece {
  readonly text: string;
  /** Where it begins in the file. */
  readonly offset: number;
}

/**
 * Reads the logical line that begins at a physical one. A line goes on where its last character, but for blanks, is a
 * lone escape character; comment lines between are dropped, and empty ones too.
 */
export function readLogicalLine(source: SourceText, first: number, escape: EscapeCharacter): LogicalLine {
  const pieces: Piece[] = [];
  const empty: number[] = [];
  let line = first;
  for (; line <= source.lineCount; line++) {
    const whole = source.line(line);
    const bom = line === 1 && whole.startsWith('\uFEFF') ? 1 : 0;
    const text = whole.slice(bom);
    const offset = source.lineStart(line) + bom;
    if (line !== first && isComment(text)) continue;
    if (line !== first && text.trim() === '') {
      // A text that ends in a newline has no line after it.
      if (line < source.lineCount || whole !== '') empty.push(line);
      continue;
    }
    const { kept, goesOn } = splitContinuation(text, escape);
    pieces.push({ text: kept, offset });
    if (!goesOn) break;
  }
  return new LogicalLine(source, pieces, { first, last: Math.min(line, source.lineCount), empty });
}

/** Whether a line holds nothing but a comment. */
export function isComment(text: string): boolean {
  return /^\s*#/.test(text);
}

/** A line without the escape character that continues it; two of them do not. */
function splitContinuation(text: string, escape: EscapeCharacter): { kept: string; goesOn: boolean } {
  let end = text.length - 1;
  while (end >= 0 && (text[end] === ' ' || text[end] === '\t')) end--;
  if (end < 0 || text[end] !== escape || (end > 0 && text[end - 1] === escape))
    return { kept: text, goesOn: false };
  return { kept: text.slice(0, end), goesOn: true };
}
