/** One way to authenticate that a server offers. */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** By lower-case name. */
  readonly parameters: Readonly<Record<string, string>>;
}

const SPACE = /[ \t]*/y;
const SEPARATORS = /[ \t,]*/y;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/**
 * Reads WWW-Authenticate. There may be several headers, and several challenges in one, in any order; a comma parts
 * challenges as well as parameters. What cannot be read ends the header it is in.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.www-authenticate
 */
export function parseChallenges(headers: readonly string[]): Challenge[] {
  return headers.flatMap(parseHeader);
}

function parseHeader(text: string): Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return undefined;
    at = pattern.lastIndex;
    return match[1] ?? match[0];
  };
  for (;;) {
    take(SEPARATORS);
    const name = take(TOKEN);
    if (name === undefined) return found;
    take(SPACE);
    const current = found.at(-1);
    if (text[at] === '=' && current !== undefined) {
      at++;
      take(SPACE);
      const isQuoted = text[at] === '"';
      const value = isQuoted ? take(QUOTED)?.replaceAll(/\\(.)/g, '$1') : take(TOKEN);
      if (value === undefined) return found;
      current.parameters[name.toLowerCase()] ??= value;
    } else {
      found.push({ scheme: name.toLowerCase(), parameters: {} });
      take(TOKEN68); // as `Negotiate` has; of no use here
    }
  }
}
