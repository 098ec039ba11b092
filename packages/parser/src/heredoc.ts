import { errorAt, type Diagnostic } from './diagnostic.ts';
import type { LogicalLine } from './logical-line.ts';
import type { Range, SourceText } from './source-text.ts';
import { quotedWords, type Span } from './words.ts';

/** A text that stands in the Dockerfile itself. */
export interface Heredoc {
  /** The word that ends it, which is also the name of the file that COPY makes of it. */
  readonly name: string;
  /** Whether variables in it are expanded: not where a part of the word was quoted. */
  readonly isExpanded: boolean;
  /** Whether tabs at the beginning of its lines are dropped. */
  readonly stripsTabs: boolean;
  /** The lines, each with its end, as they stand in the file. */
  readonly body: string;
  /** The word that begins it. */
  readonly range: Range;
}

const START = /^(\d*)<<(-?)\s*([^<]+)$/;

/** The heredocs that a piece of a line begins. Their bodies come after the line. */
export function findHeredocs(line: LogicalLine, span: Span): Omit<Heredoc, 'body'>[] {
  if (!line.text.includes('<<', span.start)) return [];
  // The shell's rules hold here, whatever the escape character of the file.
  return quotedWords(line, span, '\\').flatMap((word) => {
    const match = START.exec(word.text);
    const written = match?.[3];
    if (match === null || written === undefined) return [];
    const name = unquote(written);
    if (name === '' || /\s/.test(name)) return [];
    return [{ name, isExpanded: name === written, stripsTabs: match[2] === '-', range: word.range }];
  });
}

/** Whether a text is nothing but the word that begins a heredoc. */
export function isHeredocWord(text: string): boolean {
  const match = START.exec(text.trim());
  return match?.[3] !== undefined && !/\s/.test(match[3]);
}

function unquote(word: string): string {
  let out = '';
  let quote: string | undefined;
  for (let at = 0; at < word.length; at++) {
    const character = word[at] ?? '';
    if (character === '\\' && quote !== "'" && at + 1 < word.length) {
      at++;
      out += word[at] ?? '';
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else out += character;
    } else if (character === '"' || character === "'") quote = character;
    else out += character;
  }
  return out;
}

/**
 * Reads the bodies of heredocs, which follow one another from a line on.
 * @returns the heredocs, and the line after the last one
 */
export function readHeredocs(
  source: SourceText,
  starts: readonly Omit<Heredoc, 'body'>[],
  firstLine: number,
): { heredocs: Heredoc[]; nextLine: number; diagnostics: Diagnostic[] } {
  const heredocs: Heredoc[] = [];
  let line = firstLine;
  for (const start of starts) {
    const from = source.lineStart(line);
    let isEnded = false;
    for (; line <= source.lineCount && !isEnded; line++) {
      const text = source.line(line);
      if ((start.stripsTabs ? text.replace(/^\t+/, '') : text) !== start.name) continue;
      heredocs.push({ ...start, body: source.text.slice(from, source.lineStart(line)) });
      isEnded = true;
    }
    if (isEnded) continue;
    const message = `the heredoc ${start.name} is not ended`;
    const diagnostics = [
      errorAt(start.range, 'invalid-heredoc', message, {
        expected: `a line that holds ${start.name} and nothing else`,
      }),
    ];
    return { heredocs, nextLine: source.lineCount + 1, diagnostics };
  }
  return { heredocs, nextLine: line, diagnostics: [] };
}

/** The text of a heredoc, without the tabs that `<<-` drops. */
export function heredocText({ body, stripsTabs }: Pick<Heredoc, 'body' | 'stripsTabs'>): string {
  return stripsTabs ? body.replace(/^\t+/gm, '') : body;
}
