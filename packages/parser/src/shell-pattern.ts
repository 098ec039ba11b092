import { err, ok, type Result } from './result.ts';

/** A pattern of `${name#pattern}`: `*` and `?`, anything else as it is. */
export type ShellPattern = readonly ('*' | '?' | { readonly character: string })[];

/** Characters that a backslash may stand before. */
const ESCAPABLE = new Set(['*', '?', '\\', '}', '/']);

/** Reads a pattern. The error names an escape that means nothing. */
export function parseShellPattern(text: string): Result<ShellPattern, string> {
  const pattern: ('*' | '?' | { readonly character: string })[] = [];
  const characters = [...text];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*' || character === '?') pattern.push(character);
    else if (character === '\\') {
      at++;
      const next = characters[at];
      if (next === undefined || !ESCAPABLE.has(next))
        return err(`invalid escape '\\${next ?? ''}' in a pattern`);
      pattern.push({ character: next });
    } else pattern.push({ character });
  }
  return ok(pattern);
}

/** The lengths of the beginnings of a text that fit a pattern, ascending. */
function fittingLengths(pattern: ShellPattern, text: readonly string[], from: number): number[] {
  // One row a token: whether the tokens so far fit the first n characters.
  let fits: boolean[] = [true];
  const length = text.length - from;
  for (const token of pattern) {
    const next: boolean[] = Array.from({ length: length + 1 }, () => false);
    for (let n = 0; n <= length; n++) {
      if (token === '*') next[n] = (fits[n] ?? false) || (n > 0 && (next[n - 1] ?? false));
      else if (n > 0 && (fits[n - 1] ?? false))
        next[n] = token === '?' || token.character === text[from + n - 1];
    }
    fits = next;
  }
  return fits.flatMap((isFit, n) => (isFit ? [n] : []));
}

/** A value without the shortest or longest beginning that fits. */
export function withoutPrefix(value: string, pattern: ShellPattern, which: 'shortest' | 'longest'): string {
  const text = [...value];
  const lengths = fittingLengths(pattern, text, 0);
  const length = which === 'shortest' ? lengths[0] : lengths.at(-1);
  return text.slice(length ?? 0).join('');
}

/** A value without the shortest or longest end that fits. */
export function withoutSuffix(value: string, pattern: ShellPattern, which: 'shortest' | 'longest'): string {
  return [...withoutPrefix([...value].toReversed().join(''), pattern.toReversed(), which)]
    .toReversed()
    .join('');
}

/** A value with the first match, or every one, replaced; each as long as it can be. */
export function replaceMatches(
  value: string,
  pattern: ShellPattern,
  replacement: string,
  which: 'first' | 'all',
): string {
  const text = [...value];
  let out = '';
  let at = 0;
  while (at < text.length) {
    const length = fittingLengths(pattern, text, at).at(-1) ?? 0;
    if (length === 0) {
      out += text[at] ?? '';
      at++;
      continue;
    }
    out += replacement;
    at += length;
    if (which === 'first') return out + text.slice(at).join('');
  }
  return out;
}
