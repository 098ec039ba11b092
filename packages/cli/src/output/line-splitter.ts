import { stripVTControlCharacters } from 'node:util';

const NEWLINE = 10;

/** Splits what a step writes into lines that are safe to show: nothing in them can move the cursor or set a title. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #rest = Buffer.alloc(0);

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(data: Uint8Array): void {
    let bytes = Buffer.concat([this.#rest, data]);
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE)) {
      this.#onLine(harmless(bytes.subarray(0, end)));
      bytes = bytes.subarray(end + 1);
    }
    this.#rest = Buffer.from(bytes);
  }

  /** Tells the last line, which may have no end. */
  end(): void {
    if (this.#rest.length > 0) this.#onLine(harmless(this.#rest));
    this.#rest = Buffer.alloc(0);
  }
}

/** Of what overwrites itself with carriage returns, the last version. */
function harmless(line: Uint8Array): string {
  const text = Buffer.from(line).toString('utf8').replace(/\r+$/, '');
  return printable(text.split('\r').at(-1) ?? '');
}

/** A text without escape sequences and control characters but tabs. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}

/** A text as one line, of which nothing can pass for another. */
export function printableLine(text: string): string {
  return printable(text.replaceAll('\n', '\\n'));
}
