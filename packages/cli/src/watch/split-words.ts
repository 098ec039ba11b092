import { err, ok, type Result } from '@caisson/oci';

/** Words as a shell splits them: quotes hold them together, a backslash takes the next character as it is. */
export function splitWords(text: string): Result<string[], string> {
  const words: string[] = [];
  let word: string | undefined;
  let rest = text;
  while (rest !== '') {
    const [piece = ''] = /^(?:\s+|'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\]+)/s.exec(rest) ?? [];
    if (piece === '')
      return err(rest.startsWith('\\') ? 'it ends in a backslash' : `a quote is not closed: ${rest}`);
    rest = rest.slice(piece.length);
    if (/^\s/.test(piece)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + meant(piece);
  }
  if (word !== undefined) words.push(word);
  return ok(words);
}

function meant(piece: string): string {
  if (piece.startsWith("'")) return piece.slice(1, -1);
  if (piece.startsWith('"')) return piece.slice(1, -1).replaceAll(/\\(["\\$`])/g, '$1');
  return piece.startsWith('\\') ? piece.slice(1) : piece;
}
