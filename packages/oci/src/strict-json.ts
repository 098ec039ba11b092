import { err, ok, type Result } from './result.ts';

const MAX_DEPTH = 64;

/**
 * Parses JSON that somebody else wrote: what two parsers could read differently is an error. `JSON.parse` keeps the
 * last of two members of one name and accepts any nesting; here a repeated name, `__proto__` and more than 64 levels
 * are refused, and so are bytes that are not UTF-8.
 * @returns the value, or one sentence that says what is wrong
 * @see https://github.com/opencontainers/image-spec/blob/main/media-types.md (JSON documents are UTF-8, names unique)
 */
export function parseStrictJson(bytes: Uint8Array): Result<unknown, string> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return err('the document is not UTF-8');
  }
  const problem = findAmbiguity(text);
  if (problem !== undefined) return err(problem);
  try {
    const value: unknown = JSON.parse(text);
    return ok(value);
  } catch (error) {
    return err(`the document is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Scans for what `JSON.parse` would let pass. It needs to be right only on texts that `JSON.parse` accepts. */
function findAmbiguity(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let name: string | undefined;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"': {
        const end = endOfString(text, at);
        name = text.slice(at, end + 1);
        at = end;
        break;
      }
      case ':': {
        const problem = repeatedName(open.at(-1), name);
        if (problem !== undefined) return problem;
        break;
      }
      case '{':
        open.push(new Set());
        break;
      case '[':
        open.push(undefined);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      default:
        break;
    }
    if (open.length > MAX_DEPTH) return `the document is nested more than ${MAX_DEPTH} levels deep`;
  }
  return undefined;
}

/** The index of the quote that ends the string beginning at `start`; the text's end where there is none. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function repeatedName(names: Set<string> | undefined, literal: string | undefined): string | undefined {
  if (names === undefined || literal === undefined) return undefined;
  let name: unknown;
  try {
    name = JSON.parse(literal);
  } catch {
    return undefined; // JSON.parse of the whole will say it better
  }
  if (typeof name !== 'string') return undefined;
  if (name === '__proto__') return 'the document has a member named "__proto__"';
  if (names.has(name)) return `the document has two members named ${JSON.stringify(name)}`;
  names.add(name);
  return undefined;
}
