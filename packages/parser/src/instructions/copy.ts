import type { AddInstruction, CopyInstruction, CopySource } from '../ast.ts';
import { errorAt } from '../diagnostic.ts';
import { checkFlags, readFlags, type Flag, type FlagRules } from '../flags.ts';
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
  const { flags, rest } = readFlags(text.line, text.args, text.escape);
  checkFlags(text.name, flags, rules).forEach(text.report);
  const span = trimmed(text.line, rest);
  const range = text.line.range(span.start, span.end);
  const list = parseJsonForm(text.line.text.slice(span.start, span.end));
  if (!list.ok) {
    text.report(
      errorAt(range, 'invalid-json', list.error, { expected: `${text.name} ["source", "destination"]` }),
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
  const heredocs = new Map(text.heredocs.map((heredoc) => [heredoc.range.start.offset, heredoc]));
  const sources = words.slice(0, -1).map((word): CopySource => {
    const heredoc = list.value === undefined ? heredocs.get(word.range.start.offset) : undefined;
    return heredoc === undefined ? { kind: 'path', word } : { kind: 'heredoc', heredoc };
  });
  if (list.value === undefined && heredocs.has(destination.range.start.offset)) {
    text.report(
      errorAt(destination.range, 'invalid-heredoc', 'a heredoc cannot be the destination', { expected }),
    );
    return undefined;
  }
  return { flags, sources, destination };
}
