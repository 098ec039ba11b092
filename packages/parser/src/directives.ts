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

type DirectiveName = keyof Directives;
const KNOWN: ReadonlySet<string> = new Set<DirectiveName>(['syntax', 'escape', 'check']);

function isKnown(name: string): name is DirectiveName {
  return KNOWN.has(name);
}

/** What the top of a file says. */
interface Top {
  readonly directives: Directives;
  readonly escape: EscapeCharacter;
  /** Where the rest of the file begins. */
  readonly firstLine: number;
  /** Whether the file says that it is no Dockerfile at all. */
  readonly isOtherLanguage: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads the directives. They end at the first line that is none: a blank line, another comment, an instruction.
 * `syntax` and `check` may stand below a line `#!`, and have no blanks before them; `escape` is the other way round.
 * @param syntax what counts instead of the directive of this name
 * @see https://docs.docker.com/reference/dockerfile/#parser-directives
 */
export function readDirectives(source: SourceText, syntax: string | undefined): Top {
  const all = scan(source, 1, '#', 'indented');
  const atMargin = scan(source, source.text.startsWith('#!') ? 2 : 1, '#', 'at-margin');
  const diagnostics = findRepeated(all);
  const escape = all.find(({ name }) => name === 'escape');
  if (escape !== undefined && !isEscape(escape.value)) {
    diagnostics.push(
      errorAt(
        escape.range,
        'invalid-directive',
        `${JSON.stringify(escape.value)} cannot be the escape character`,
        { expected: '\\ or `' },
      ),
    );
  }
  const check = atMargin.find(({ name }) => name === 'check');
  const ofDockerfile = atMargin.find(({ name }) => name === 'syntax');
  const ofOther = ofDockerfile === undefined ? otherLanguage(source) : undefined;
  const asked = ofDockerfile ?? ofOther;
  if (syntax !== undefined) {
    if (syntax !== BUILT_IN && !isBuiltIn(syntax))
      diagnostics.push(unsupported(source.range(0, 0), syntax, 'the build arg BUILDKIT_SYNTAX asks for it'));
  } else if (asked !== undefined && !isBuiltIn(asked.value))
    diagnostics.push(unsupported(asked.range, asked.value));
  return {
    directives: {
      ...(asked === undefined ? {} : { syntax: { value: asked.value, range: asked.range } }),
      ...(escape === undefined ? {} : { escape: { value: escape.value, range: escape.range } }),
      ...(check === undefined ? {} : { check: { value: check.value, range: check.range } }),
    },
    escape: escape !== undefined && isEscape(escape.value) ? escape.value : '\\',
    firstLine: all.length + 1,
    isOtherLanguage: ofOther !== undefined && syntax === undefined,
    diagnostics,
  };
}

interface Found extends Directive {
  readonly name: DirectiveName;
}

/** The directives from a line on, each behind the sign of a comment. */
function scan(
  source: SourceText,
  firstLine: number,
  sign: '#' | '//',
  where: 'indented' | 'at-margin',
): Found[] {
  const found: Found[] = [];
  for (let line = firstLine; line <= source.lineCount; line++) {
    const text = line === 1 ? source.line(line).replace(/^\uFEFF/, '') : source.line(line);
    const comment = where === 'indented' ? text.trimStart() : text;
    if (!comment.startsWith(sign)) break;
    const match = /^\s*([a-zA-Z][a-zA-Z0-9]*)\s*=/.exec(comment.slice(sign.length));
    const name = match?.[1]?.toLowerCase() ?? '';
    const value = comment.slice(sign.length + (match?.[0].length ?? 0)).trim();
    if (!isKnown(name) || value === '') break;
    found.push({ name, value, range: source.lineRange(line) });
  }
  return found;
}

function findRepeated(found: readonly Found[]): Diagnostic[] {
  return found
    .filter(({ name }, index) => found.findIndex((each) => each.name === name) < index)
    .map(({ name, range }) =>
      errorAt(range, 'invalid-directive', `the directive ${name} is given twice`, {
        expected: 'one of them',
      }),
    );
}

/** The frontend that a file of another language asks for, in a comment of its own kind or as JSON. */
function otherLanguage(source: SourceText): Directive | undefined {
  const found = scan(source, 1, '//', 'at-margin').find(({ name }) => name === 'syntax');
  if (found !== undefined || !source.text.startsWith('{')) return found;
  try {
    const value: unknown = JSON.parse(source.text);
    if (typeof value !== 'object' || value === null || !('syntax' in value)) return undefined;
    return typeof value.syntax === 'string' ? { value: value.syntax, range: source.lineRange(1) } : undefined;
  } catch {
    return undefined;
  }
}

function isEscape(value: string): value is EscapeCharacter {
  return value === '\\' || value === '`';
}

function unsupported(range: Range, value: string, hint?: string): Diagnostic {
  return errorAt(range, 'unsupported-syntax', `the frontend ${JSON.stringify(value)} is not supported`, {
    expected: 'docker/dockerfile or docker/dockerfile-upstream, which are built in',
    ...(hint === undefined ? {} : { hint }),
  });
}

/** What the build arg BUILDKIT_SYNTAX calls the language that is built in. */
const BUILT_IN = 'dockerfile.v0';

/** Whether an image names the language that is built in. */
function isBuiltIn(value: string): boolean {
  const image = value.split(' ')[0] ?? '';
  return /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?$/.test(
    image,
  );
}
