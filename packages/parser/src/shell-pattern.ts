import { err, ok, type Result } from './result.ts';

/** Anything but `*`: a character, or `?`, which stands for one. */
type Token = '?' | { readonly character: string };

/** A pattern of `${name#pattern}`: the pieces between its `*`. Without a `*` it is one piece. */
export type ShellPattern = readonly (readonly Token[])[];

/** Characters that a backslash may stand before. */
const ESCAPABLE = new Set(['*', '?', '\\', '}', '/']);

/** Reads a pattern. The error names an escape that means nothing. */
export function parseShellPattern(text: string): Result<ShellPattern, string> {
  let piece: Token[] = [];
  const pieces = [piece];
  const characters = [...text];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*') pieces.push((piece = []));
    else if (character === '?') piece.push(character);
    else if (character === '\\') {
      at++;
      const next = characters[at];
      if (next === undefined || !ESCAPABLE.has(next))
        return err(`invalid escape '\\${next ?? ''}' in a pattern`);
      piece.push({ character: next });
    } else piece.push({ character });
  }
  return ok(pieces);
}

/** Whether a piece stands at a place. */
function isAt(piece: readonly Token[], text: readonly string[], at: number): boolean {
  if (at + piece.length > text.length) return false;
  return piece.every((token, index) => token === '?' || token.character === text[at + index]);
}

/** The first place from one on where a piece stands, or the last one. */
function find(
  piece: readonly Token[],
  text: readonly string[],
  from: number,
  which: 'first' | 'last',
): number | undefined {
  const end = text.length - piece.length;
  const step = which === 'first' ? 1 : -1;
  for (let at = which === 'first' ? from : end; at >= from && at <= end; at += step)
    if (isAt(piece, text, at)) return at;
  return undefined;
}

/** Where the shortest or longest match ends that begins at a place. */
function matchEnd(
  [first = [], ...others]: ShellPattern,
  text: readonly string[],
  from: number,
  which: 'shortest' | 'longest',
): number | undefined {
  if (!isAt(first, text, from)) return undefined;
  let end = from + first.length;
  for (const [index, piece] of others.entries()) {
    const isLast = index === others.length - 1;
    const at = find(piece, text, end, isLast && which === 'longest' ? 'last' : 'first');
    if (at === undefined) return undefined;
    end = at + piece.length;
  }
  return end;
}

/** A value without the shortest or longest beginning that fits. */
export function withoutPrefix(value: string, pattern: ShellPattern, which: 'shortest' | 'longest'): string {
  const text = [...value];
  return text.slice(matchEnd(pattern, text, 0, which) ?? 0).join('');
}

/** A value without the shortest or longest end that fits. */
export function withoutSuffix(value: string, pattern: ShellPattern, which: 'shortest' | 'longest'): string {
  const text = [...value].toReversed();
  const reversed = pattern.map((piece) => piece.toReversed()).toReversed();
  return text
    .slice(matchEnd(reversed, text, 0, which) ?? 0)
    .toReversed()
    .join('');
}

/**
 * A value with the first match, or every one, replaced; each as long as it can be. A match of nothing counts, but not
 * right behind another match.
 */
export function replaceMatches(
  value: string,
  pattern: ShellPattern,
  replacement: string,
  which: 'first' | 'all',
): string {
  const text = [...value];
  const [first = [], ...others] = pattern;
  let out = '';
  let previousEnd: number | undefined;
  for (let at = 0; at <= text.length;) {
    const end = matchEnd(pattern, text, at, 'longest');
    if (end !== undefined && (end > at || end !== previousEnd)) {
      out += replacement;
      if (which === 'first') return out + text.slice(end).join('');
      previousEnd = end;
    } else if (others.length > 0 && end === undefined && isAt(first, text, at)) {
      // What comes after the first `*` is nowhere: it will not be there for a later beginning either.
      return out + text.slice(at).join('');
    }
    if (end === undefined || end === at) out += text[at] ?? '';
    at = end === undefined || end === at ? at + 1 : end;
  }
  return out;
}
