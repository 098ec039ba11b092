import type { AddInstruction, CopyInstruction, CopySource } from '../ast.ts';
import { errorAt } from '../diagnostic.ts';
import { checkFlags, type Flag, type FlagRules } from '../flags.ts';
import type { Heredoc } from '../heredoc.ts';
import { commonParts, requireArguments, type InstructionText } from '../instruction-text.ts';
import { parseJsonForm } from '../json-form.ts';
import { plainWords, trimmed, type Word } from '../words.ts';

const COPY_FLAGS: FlagRules = {
  value: ['from', 'chown', 'chmod'],
  repeated: ['exclude'],
  boolean: ['link', 'parents'],
};
const ADD_FLAGS: FlagRules = {
  value: ['chown', 'chmod', 'checksum'],
  repeated: ['exclude'],
  boolean: ['link', 'keep-git-dir', 'unpack'],
};

/** `COPY [flags] source... destination` */
export function readCopy(text: InstructionText): CopyInstruction | undefined {
  const operands = readOperands(text, COPY_FLAGS);
  return operands === undefined ? undefined : { kind: 'copy', ...commonParts(text), ...operands };
}

/** `ADD [flags] source... destination` */
export function readAdd(text: InstructionText): AddInstruction | undefined {
  const operands = readOperands(text, ADD_FLAGS);
  return operands === undefined ? undefined : { kind: 'add', ...commonParts(text), ...operands };
}

function readOperands(
  text: InstructionText,
  rules: FlagRules,
):
  | { readonly flags: readonly Flag[]; readonly sources: readonly CopySource[]; readonly destination: Word }
  | undefined {
  const expected = `${text.name} source... destination`;
  if (!requireArguments(text, expected)) return undefined;
  const { flags, args: rest } = text;
  checkFlags(text.name, flags, rules).forEach(text.report);
  const span = trimmed(text.line, rest);
  const range = text.line.range(span.start, span.end);
  const list = parseJsonForm(text.line.text.slice(span.start, span.end));
  if (!list.ok) {
    text.report(
      errorAt(range, 'invalid-json', list.error.message, {
        expected: `${text.name} ["source", "destination"]`,
        suggestion: list.error.suggestion,
      }),
    );
    return undefined;
  }
  const words = list.value?.map((each) => ({ text: each, range })) ?? plainWords(text.line, rest);
  const destination = words.at(-1);
  if (destination === undefined || words.length < 2) {
    text.report(
      errorAt(range, 'missing-argument', `${text.name} needs at least one source and a destination`, {
        expected,
      }),
    );
    return undefined;
  }
  const heredocAt = ({ range: at }: Word): Heredoc | undefined =>
    list.value === undefined
      ? text.heredocs.find(
          (each) => each.range.start.offset === at.start.offset && each.range.end.offset === at.end.offset,
        )
      : undefined;
  const sources = words.slice(0, -1).map((word): CopySource => {
    const heredoc = heredocAt(word);
    return heredoc === undefined ? { kind: 'path', word } : { kind: 'heredoc', heredoc };
  });
  for (const heredoc of sources.flatMap((source) => (source.kind === 'heredoc' ? [source.heredoc] : []))) {
    if (!heredoc.name.includes('/')) continue;
    const message = `the file ${heredoc.name} cannot have a slash in its name`;
    text.report(errorAt(heredoc.range, 'invalid-heredoc', message, { expected: '<<NAME' }));
  }
  if (heredocAt(destination) !== undefined) {
    text.report(
      errorAt(destination.range, 'invalid-heredoc', 'a heredoc cannot be the destination', { expected }),
    );
    return undefined;
  }
  return { flags, sources, destination };
}
