import { GlobExpression, type GlobPiece } from './glob-expression.ts';
import { err, ok, type Result } from './result.ts';

/** Whether a source of COPY is a pattern. What only escapes characters is none: its backslashes are part of the name. */
export function hasWildcard(text: string): boolean {
  return /[*?[]/.test(text.replaceAll(/\\./gs, ''));
}

/**
 * Compiles a pattern for one name: `*`, `?`, `[a-z]`, `[^a-z]`, and a backslash before a character that is meant as it
 * is. None of them stands for a slash.
 * @returns a function that tells whether a name fits, or what is wrong with the pattern
 * @see https://pkg.go.dev/path/filepath#Match
 */
export function compileGlob(pattern: string): Result<(name: string) => boolean, string> {
  const pieces: GlobPiece[] = [];
  const characters = [...pattern];
  for (let at = 0; at < characters.length;) {
    const element = readGlobElement(characters, at, { setsHoldSlash: false });
    if (!element.ok) return element;
    pieces.push(element.value.piece);
    at = element.value.end;
  }
  const expression = new GlobExpression(pieces);
  return ok((name) => expression.test(name));
}

/** A piece of a pattern, and where what comes after it begins. */
interface GlobElement {
  readonly piece: GlobPiece;
  readonly end: number;
  /** Whether it is a set with a range that ends before it begins: `[z-a]`. */
  readonly isBackwards?: boolean;
}

/** Reads one wildcard, set or character of a pattern. */
export function readGlobElement(
  characters: readonly string[],
  at: number,
  { setsHoldSlash }: { readonly setsHoldSlash: boolean },
): Result<GlobElement, string> {
  const character = characters[at] ?? '';
  switch (character) {
    case '*':
      return ok({ piece: { kind: 'run', holdsSlash: false }, end: at + 1 });
    case '?':
      return ok({ piece: one('[^/]'), end: at + 1 });
    case '[':
      return readSet(characters, at, setsHoldSlash);
    case '\\': {
      const next = characters[at + 1];
      if (next === undefined) return err('the pattern ends in a backslash');
      return ok({ piece: one(literal(next)), end: at + 2 });
    }
    default:
      return ok({ piece: one(literal(character)), end: at + 1 });
  }
}

/** A set `[...]` from its opening bracket on. */
function readSet(
  characters: readonly string[],
  start: number,
  holdsSlash: boolean,
): Result<GlobElement, string> {
  const unclosed = err('a "[" of the pattern is not closed');
  let at = start + 1;
  const isNegated = characters[at] === '^';
  if (isNegated) at++;
  let members = '';
  let isBackwards = false;
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
    const [from, to] = [codePoint(low.character), codePoint(high.character)];
    // A range that is the wrong way round holds nothing.
    if (from <= to) members += `\\u{${from.toString(16)}}-\\u{${to.toString(16)}}`;
    else isBackwards = true;
  }
  const end = at + 1;
  const noSlash = holdsSlash ? '' : '(?!/)';
  const source = members === '' ? (isNegated ? '.' : '(?!)') : `[${isNegated ? '^' : ''}${members}]`;
  return ok({ piece: one(`${noSlash}${source}`), end, isBackwards });
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

function one(source: string): GlobPiece {
  return { kind: 'one', source };
}

function literal(character: string): string {
  return /[$()*+./?[\\\]^{|}]/.test(character) ? `\\${character}` : character;
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}
