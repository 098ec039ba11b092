import { stripVTControlCharacters } from 'node:util';

const NEWLINE = 10;
const RETURN = 13;

/** How much of a line without an end is waited for, in bytes: then it is told in pieces. */
const LONGEST = 64 << 10;

/** Splits what a step writes into lines that are safe to show: nothing in them can move the cursor or set a title. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(data: Uint8Array): void {
    let bytes: Buffer = this.#rest.length === 0 ? Buffer.from(data) : Buffer.concat([this.#rest, data]);
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE)) {
      this.#onLine(harmless(bytes.subarray(0, end)));
      bytes = bytes.subarray(end + 1);
    }
    bytes = withoutOverwritten(bytes);
    while (bytes.length > LONGEST) {
      const end = endOfCharacter(bytes, LONGEST);
      this.#onLine(harmless(bytes.subarray(0, end)));
      bytes = bytes.subarray(end);
    }
    this.#rest = Buffer.from(bytes);
  }

  /** What has come of a line that has no end yet: a progress bar, for one. */
  get unfinished(): string {
    return harmless(this.#rest);
  }

  /** Tells the last line, which may have no end. */
  end(): void {
    if (this.#rest.length > 0) this.#onLine(harmless(this.#rest));
    this.#rest = Buffer.alloc(0);
  }
}

/** What comes behind the last carriage return; those at the very end overwrite nothing yet. */
function withoutOverwritten(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (bytes[end - 1] === RETURN) end--;
  return end === 0 ? bytes : bytes.subarray(bytes.lastIndexOf(RETURN, end - 1) + 1);
}

/** The end of a character of UTF-8, at a place or up to three bytes before it. */
function endOfCharacter(bytes: Buffer, at: number): number {
  let end = at;
  while (end > at - 3 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return end;
}

/** Of what overwrites itself with carriage returns, the last version. */
function harmless(line: Buffer): string {
  const text = line.toString('utf8').replace(/\r+$/, '');
  return printable(text.split('\r').at(-1) ?? '');
}

/** Control characters but tabs and line feeds, and those that turn the direction of writing. */
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
const ALL_HARMFUL = new RegExp(HARMFUL, 'g');

/** A text without escape sequences and characters that a terminal obeys. */
export function printable(text: string): string {
  // Sequences begin with such a character. Few lines have one, and to look for sequences takes long.
  return HARMFUL.test(text) ? stripVTControlCharacters(text).replace(ALL_HARMFUL, '') : text;
}

/** A text as one line, of which nothing can pass for another. */
export function printableLine(text: string): string {
  return printable(text.replaceAll('\n', '\\n'));
}
