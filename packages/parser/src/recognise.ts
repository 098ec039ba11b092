import { DockerfileParser, type Dockerfile } from 'dockerfile-ast';
import type { EscapeCharacter } from './directives.ts';
import type { LogicalLine } from './logical-line.ts';
import type { Span } from './words.ts';

/** The name of an instruction in its logical line, and what follows. */
export interface Recognised {
  readonly keyword: Span;
  readonly args: Span;
}

/**
 * Finds the instruction of each logical line, with dockerfile-ast. It is given what it reads well: one instruction a
 * line, in one document for many of them, which it reads in linear time. It takes two escape characters at the end of a
 * line for a continuation, and anything after `<<` for a heredoc that swallows the lines below; such lines go alone.
 */
export function recogniseInstructions(lines: readonly LogicalLine[], escape: EscapeCharacter): Recognised[] {
  const recognised: Recognised[] = [];
  for (let from = 0; from < lines.length; from += BATCH) {
    const batch = lines.slice(from, from + BATCH);
    const keywords = findKeywords(
      batch.map(({ text }) => HEAD.exec(text)?.[0] ?? ''),
      escape,
    );
    recognised.push(...batch.map(({ text }, index) => recognise(text, keywords[index])));
  }
  return recognised;
}

/** How many lines are read as one document: what the library makes of it takes much memory. */
const BATCH = 1000;

/** What names an instruction: the first word, and the beginning of the next. The library is slow at the rest. */
const HEAD = /^\s*\S+(?:\s+\S{1,20})?/;

function findKeywords(heads: readonly string[], escape: EscapeCharacter): (Span | undefined)[] {
  const prefix = escape === '`' ? '# escape=`\n' : '';
  const offset = escape === '`' ? 1 : 0;
  const document = prefix + heads.map((head) => (isReadAlone(head, escape) ? 'RUN alone' : head)).join('\n');
  const together = byLine(DockerfileParser.parse(document));
  return heads.map((head, index) =>
    isReadAlone(head, escape)
      ? byLine(DockerfileParser.parse(prefix + head)).get(offset)
      : together.get(index + offset),
  );
}

function recognise(text: string, found: Span | undefined): Recognised {
  const end = text.trimEnd().length;
  // Without an instruction on it, a line would not be a logical one; a name with odd characters is still a name.
  const start = found?.start ?? text.search(/\S/);
  const name = /^[^\t\v\f\r ]+/.exec(text.slice(start, found?.end))?.[0] ?? '';
  const keyword = { start, end: start + name.length };
  const rest = text.slice(keyword.end, end);
  return { keyword, args: { start: keyword.end + (rest.length - rest.trimStart().length), end } };
}

function isReadAlone(text: string, escape: EscapeCharacter): boolean {
  return text.includes('<<') || text.trimEnd().endsWith(escape);
}

/** Where the name of the instruction stands in each line of a document. */
function byLine(dockerfile: Dockerfile): Map<number, Span> {
  const found = new Map<number, Span>();
  for (const instruction of dockerfile.getInstructions()) {
    const { start, end } = instruction.getInstructionRange();
    if (start.line === end.line) found.set(start.line, { start: start.character, end: end.character });
  }
  return found;
}
