import { formatGoDuration } from '@caisson/parser';
import type { Healthcheck } from '@caisson/oci';

/* Docker's builder writes parts of the history in Go's own notation. Tools read it, so it is the same here. */

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': String.raw`\a`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\v': String.raw`\v`,
  '\\': String.raw`\\`,
  '"': String.raw`\"`,
};

/** A string as Go's `%q` prints it. */
export function goQuote(text: string): string {
  let out = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (ESCAPES[character] !== undefined) out += ESCAPES[character];
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (/\p{C}|\p{Zl}|\p{Zp}/u.test(character))
      out += code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
    else out += character;
  }
  return `"${out}"`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** A list of strings as Go's `%q` prints it. */
export function goQuotedList(items: readonly string[]): string {
  return `[${items.map(goQuote).join(' ')}]`;
}

/** A list as Go's `%v` prints it. */
export function goList(items: readonly string[]): string {
  return `[${items.join(' ')}]`;
}

/** A health check as Go's `%q` prints a pointer to it. */
export function goHealthcheck({
  Test = [],
  Interval = 0,
  Timeout = 0,
  StartPeriod = 0,
  StartInterval = 0,
  Retries = 0,
}: Healthcheck): string {
  const durations = [Interval, Timeout, StartPeriod, StartInterval].map(
    (each) => `"${formatGoDuration(each)}"`,
  );
  return `&{${goQuotedList(Test)} ${durations.join(' ')} ${goRune(Retries)}}`;
}

/** A number as Go's `%q` prints it: the character that it is the code of. */
function goRune(code: number): string {
  const character = String.fromCodePoint(code <= 0x10ffff ? code : 0xfffd);
  if (character === "'") return String.raw`'\''`;
  if (character === '"') return `'"'`;
  return `'${goQuote(character).slice(1, -1)}'`;
}
