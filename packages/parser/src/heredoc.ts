import { errorAt, type Diagnostic } from './diagnostic.ts';
import { expandWord, expandWords } from './expand.ts';
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

/** What the word that begins a heredoc says. */
type Opening = Pick<Heredoc, 'name' | 'isExpanded' | 'stripsTabs'>;

const OPENING = /^\d*<<(-?)\s*([^<]*)$/;
/** `<<` alone: the next word is the name. */
const OPERATOR = /^\d*<<$/;
/** The shell's rules hold for what begins a heredoc, whatever the escape character of the file. */
const ESCAPE = '\\';

/** The heredocs that a line begins. Their bodies come after the line. */
export function findHeredocs(line: LogicalLine, span: Span): Omit<Heredoc, 'body'>[] {
  if (!line.text.includes('<<', span.start)) return [];
  // A line that is no list of shell words has none: a quote that is not closed, `${x^^}`.
  if (!expandWord(line.text.slice(span.start, span.end), { get: () => 'x' }).ok) return [];
  const found: Omit<Heredoc, 'body'>[] = [];
  const words = quotedWords(line, span, ESCAPE).values();
  for (const word of words) {
    const next = OPERATOR.test(word.text) ? words.next().value : undefined;
    const opening = parseHeredocOpening(word.text + (next?.text ?? ''));
    if (opening === undefined) continue;
    found.push({ ...opening, range: { start: word.range.start, end: (next ?? word).range.end } });
  }
  return found;
}

/** What a text says that is nothing but the beginning of a heredoc; undefined for any other. */
export function parseHeredocOpening(text: string): Opening | undefined {
  const match = OPENING.exec(text.trim());
  const written = match?.[2];
  if (written === undefined) return undefined;
  const names = expandWords(written, { get: (name) => `$${name}` });
  const [name] = names.ok ? names.value : [];
  if (name === undefined || written === '' || (names.ok && names.value.length > 1)) return undefined;
  return { name, isExpanded: name === written, stripsTabs: match?.[1] === '-' };
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
        hint: hintOfEnd(source, start, firstLine),
      }),
    ];
    return { heredocs, nextLine: source.lineCount + 1, diagnostics };
  }
  return { heredocs, nextLine: line, diagnostics: [] };
}

/** Why the end of a heredoc was not found. */
function hintOfEnd(source: SourceText, { name }: Opening, from: number): string {
  for (let line = from; line <= source.lineCount; line++) {
    const text = source.line(line);
    if (text.trim() !== name) continue;
    return text.trimStart() === name && /^\t+$/.test(text.slice(0, -name.length))
      ? `line ${line} begins with a tab, which <<-${name} allows`
      : `line ${line} has blanks around ${name}`;
  }
  return 'where no heredoc is meant, "<<" stands in quotes';
}

/** The text of a heredoc, without the tabs that `<<-` drops. */
export function heredocText({ body, stripsTabs }: Pick<Heredoc, 'body' | 'stripsTabs'>): string {
  return stripsTabs ? body.replace(/(^|\n)\t+/g, '$1') : body;
}
