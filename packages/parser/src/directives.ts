import { errorAt, type Diagnostic } from './diagnostic.ts';
import type { Range, SourceText } from './source-text.ts';

/** The parser directives at the top of a Dockerfile. */
export interface Directives {
  readonly syntax?: Directive;
  readonly escape?: Directive;
  readonly check?: Directive;
}

/** A line `# name=value`. */
export interface Directive {
  readonly value: string;
  readonly range: Range;
}

/** The character that continues lines and takes the meaning from the next character. */
export type EscapeCharacter = '\\' | '`';

const DIRECTIVE = /^[ \t]*#[ \t]*([a-zA-Z][a-zA-Z0-9]*)[ \t]*=[ \t]*(.*?)[ \t]*\r?$/;
type DirectiveName = keyof Directives;
const KNOWN: ReadonlySet<string> = new Set<DirectiveName>(['syntax', 'escape', 'check']);

function isKnown(name: string): name is DirectiveName {
  return KNOWN.has(name);
}

/**
 * Reads the directives. They end at the first line that is none: a blank line, another comment, an instruction.
 * @returns where the rest of the file begins, too
 * @see https://docs.docker.com/reference/dockerfile/#parser-directives
 */
export function readDirectives(source: SourceText): {
  readonly directives: Directives;
  readonly escape: EscapeCharacter;
  readonly firstLine: number;
  readonly diagnostics: readonly Diagnostic[];
} {
  const directives: { -readonly [Name in DirectiveName]?: Directive } = {};
  const diagnostics: Diagnostic[] = [];
  let escape: EscapeCharacter = '\\';
  let line = 1;
  for (; line <= source.lineCount; line++) {
    const text = line === 1 ? source.line(line).replace(/^\uFEFF/, '') : source.line(line);
    const match = DIRECTIVE.exec(text);
    const name = match?.[1]?.toLowerCase() ?? '';
    if (match === null || !isKnown(name)) break;
    const value = match[2] ?? '';
    const range = source.lineRange(line);
    if (directives[name] !== undefined) {
      diagnostics.push(errorAt(range, 'invalid-directive', `the directive ${name} is given twice`));
      continue;
    }
    directives[name] = { value, range };
    if (name === 'escape') {
      if (value === '\\' || value === '`') escape = value;
      else
        diagnostics.push(
          errorAt(range, 'invalid-directive', `${JSON.stringify(value)} cannot be the escape character`, {
            expected: '\\ or `',
          }),
        );
    }
    if (name === 'syntax' && !isBuiltIn(value)) {
      diagnostics.push(
        errorAt(range, 'unsupported-syntax', `the frontend ${JSON.stringify(value)} is not supported`, {
          expected: 'docker/dockerfile or docker/dockerfile-upstream, which are built in',
        }),
      );
    }
  }
  return { directives, escape, firstLine: line, diagnostics };
}

/** Whether an image names the language that is built in. */
function isBuiltIn(value: string): boolean {
  const image = value.split(' ')[0] ?? '';
  return /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?$/.test(
    image,
  );
}
