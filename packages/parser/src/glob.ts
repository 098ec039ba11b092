import { err, ok, type Result } from './result.ts';

/** Whether a source of COPY is a pattern. */
export function hasWildcard(text: string): boolean {
  return /[*?[]|\\./.test(text);
}

/**
 * Compiles a pattern for one name: `*`, `?`, `[a-z]`, `[^a-z]`, and a backslash before a character that is meant as it
 * is. None of them stands for a slash.
 * @returns a function that tells whether a name fits, or what is wrong with the pattern
 * @see https://pkg.go.dev/path/filepath#Match
 */
export function compileGlob(pattern: string): Result<(name: string) => boolean, string> {
  let source = '';
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '\\') {
      at++;
      const next = characters[at];
      if (next === undefined) return err('the pattern ends in a backslash');
      source += literal(next);
    } else if (character === '[') {
      const set = readSet(characters, at);
      if (!set.ok) return set;
      source += set.value.source;
      at = set.value.end;
    } else source += literal(character);
  }
  const expression = new RegExp(`^${source}$`, 'su');
  return ok((name) => expression.test(name));
}

/** A set `[...]` from its opening bracket on. */
function readSet(
  characters: readonly string[],
  start: number,
): Result<{ source: string; end: number }, string> {
  const unclosed = err('a "[" of the pattern is not closed');
  let at = start + 1;
  const isNegated = characters[at] === '^';
  if (isNegated) at++;
  let members = '';
  for (let count = 0; ; count++) {
    if (characters[at] === undefined) return unclosed;
    if (characters[at] === ']' && count > 0) break;
    const low = readMember(characters, at);
    if (low === undefined) return err('a set of the pattern is not valid');
    at = low.end;
    let high = low;
    if (characters[at] === '-') {
      const upper = readMember(characters, at + 1);
      if (upper === undefined) return err('a set of the pattern is not valid');
      high = upper;
      at = upper.end;
    }
    // A range that is the wrong way round holds nothing.
    if (low.character <= high.character) members += `${inSet(low.character)}-${inSet(high.character)}`;
  }
  if (members === '') return ok({ source: isNegated ? '[^/]' : '(?!)', end: at });
  return ok({ source: isNegated ? `[^${members}/]` : `(?!/)[${members}]`, end: at });
}

function readMember(
  characters: readonly string[],
  at: number,
): { character: string; end: number } | undefined {
  const character = characters[at];
  if (character === undefined || character === '-' || character === ']') return undefined;
  if (character !== '\\') return { character, end: at + 1 };
  const next = characters[at + 1];
  return next === undefined ? undefined : { character: next, end: at + 2 };
}

function literal(character: string): string {
  return /[$()*+./?[\\\]^{|}-]/.test(character) ? `\\${character}` : character;
}

function inSet(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16) ?? '0'}}`;
}
