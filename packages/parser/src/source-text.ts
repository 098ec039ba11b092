/** A place in a text. */
export interface Position {
  /** The line, from 1. */
  readonly line: number;
  /** The character in the line, from 1, in UTF-16 code units. */
  readonly column: number;
  /** The character in the text, from 0. */
  readonly offset: number;
}

/** A piece of a text: from `start` up to, not including, `end`. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** A text and where its lines begin. */
export class SourceText {
  readonly text: string;
  readonly #lineStarts: number[] = [0];

  constructor(text: string) {
    this.text = text;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1))
      this.#lineStarts.push(at + 1);
  }

  /** How many lines there are; a text that ends in a newline has an empty last one. */
  get lineCount(): number {
    return this.#lineStarts.length;
  }

  /** A line, from 1, without its end: a newline, and the carriage returns before it. */
  line(number: number): string {
    const start = this.#lineStarts[number - 1] ?? this.text.length;
    let end = (this.#lineStarts[number] ?? this.text.length + 1) - 1;
    while (end > start && this.text[end - 1] === '\r') end--;
    return this.text.slice(start, end);
  }

  /** Where a line begins. */
  lineStart(number: number): number {
    return this.#lineStarts[number - 1] ?? this.text.length;
  }

  /** A whole line, without its end. */
  lineRange(number: number): Range {
    const start = this.lineStart(number);
    return this.range(start, start + this.line(number).length);
  }

  /** The place of a character. */
  position(offset: number): Position {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1, offset };
  }

  range(start: number, end: number): Range {
    return { start: this.position(start), end: this.position(Math.max(start, end)) };
  }
}
