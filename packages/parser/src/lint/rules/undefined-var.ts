import type { ArgInstruction, Instruction } from '../../ast.ts';
import type { Flag } from '../../flags.ts';
import { heredocText } from '../../heredoc.ts';
import type { Range, SourceText } from '../../source-text.ts';
import { suggest } from '../../suggest.ts';
import { details, type Finding, type Rule } from '../rule.ts';
import type { Scope } from '../scope.ts';
import { placeOfVariable } from '../variables.ts';

export const UNDEFINED_VAR: Rule = {
  description: 'Variables should be defined before their use',
  why: 'A variable that no ARG or ENV of the stage, and not the base image, defines is empty, most often because its name is misspelt. An ARG before the first FROM counts in a stage only where the stage repeats it.',
  wrong: 'FROM scratch\nARG VERSION=1\nCOPY app-$VERSOIN /\n',
  right: 'FROM scratch\nARG VERSION=1\nCOPY app-$VERSION /\n',
  needsBase: true,
  *check({ dockerfile, stages }) {
    const { source } = dockerfile;
    for (const { instruction, scope } of stages.flatMap(({ instructions }) => instructions)) {
      if (!scope.isComplete) continue;
      if (instruction.kind === 'arg') yield* checkArgs(source, instruction, scope);
      else for (const text of expandedTexts(source, instruction)) yield* checkText(source, text, scope);
    }
  },
};

/** A text that is expanded, and where it stands. */
interface ExpandedText {
  readonly text: string;
  readonly range: Range;
  /** The body of a heredoc, whose quotes mean nothing. */
  readonly keepsQuotes?: boolean;
}

function* checkText(
  source: SourceText,
  { text, range, keepsQuotes = false }: ExpandedText,
  scope: Scope,
): Generator<Finding> {
  for (const name of scope.note(text, { keepsQuotes }).unset) {
    const near = suggest(name, scope.names);
    yield {
      range: placeOfVariable(source, range, name),
      message: `Usage of undefined variable '$${name}'`,
      ...details({ suggestion: near === undefined ? undefined : `$${near}` }),
    };
  }
}

/** The args of one ARG see those before them. A default does not count where the build gives a value. */
function* checkArgs(source: SourceText, { args }: ArgInstruction, before: Scope): Generator<Finding> {
  let scope = before;
  for (const arg of args) {
    if (arg.value !== undefined && !scope.isGiven(arg.name.text)) yield* checkText(source, arg.value, scope);
    scope = scope.afterArg(arg);
  }
}

const EXPANDED_FLAGS = new Set(['chown', 'chmod', 'checksum']);

/** What docker looks at; it expands EXPOSE too, but does not look there. */
function expandedTexts(source: SourceText, instruction: Instruction): ExpandedText[] {
  switch (instruction.kind) {
    case 'env':
    case 'label':
      return instruction.pairs.flatMap(({ key, value }) => [key, value]);
    case 'workdir':
    case 'user':
    case 'stopsignal':
      return [instruction.value];
    case 'volume':
      return [...instruction.paths];
    case 'copy':
    case 'add': {
      const flags = instruction.flags.flatMap(({ name, value, valueRange: range }) =>
        EXPANDED_FLAGS.has(name) && value !== undefined ? [{ text: value, range }] : [],
      );
      const sources = instruction.sources.flatMap((each): ExpandedText[] => {
        if (each.kind === 'path') return [each.word];
        const { heredoc } = each;
        const range = source.range(heredoc.range.end.offset, instruction.range.end.offset);
        return heredoc.isExpanded ? [{ text: heredocText(heredoc), range, keepsQuotes: true }] : [];
      });
      return [...flags, ...sources, instruction.destination];
    }
    case 'run':
      return instruction.flags.flatMap(mountTexts);
    default:
      return [];
  }
}

/** The fields of a mount; what it is taken `from` is not expanded. */
function mountTexts({ name, value, valueRange: range }: Flag): ExpandedText[] {
  if (name !== 'mount' || value === undefined) return [];
  return value
    .split(',')
    .filter((field) => !/^from=/i.test(field))
    .map((text) => ({ text, range }));
}
