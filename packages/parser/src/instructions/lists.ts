import type { ExposeInstruction, ShellInstruction, VolumeInstruction } from '../ast.ts';
import { errorAt } from '../diagnostic.ts';
import { commonParts, requireArguments, type InstructionText } from '../instruction-text.ts';
import { parseJsonForm } from '../json-form.ts';
import { plainWords, type Word } from '../words.ts';

/** `EXPOSE port[/protocol]...` */
export function readExpose(text: InstructionText): ExposeInstruction | undefined {
  if (!requireArguments(text, 'EXPOSE port[/protocol]')) return undefined;
  return { kind: 'expose', ...commonParts(text), ports: plainWords(text.line, text.args) };
}

/** `VOLUME path...` or `VOLUME ["path"]` */
export function readVolume(text: InstructionText): VolumeInstruction | undefined {
  const expected = 'VOLUME path or VOLUME ["path"]';
  if (!requireArguments(text, expected)) return undefined;
  const range = text.line.range(text.args.start, text.args.end);
  const list = parseJsonForm(text.line.text.slice(text.args.start, text.args.end));
  if (!list.ok) {
    const { message, suggestion } = list.error;
    text.report(errorAt(range, 'invalid-json', message, { expected, suggestion }));
    return undefined;
  }
  const paths: Word[] =
    list.value?.map((each) => ({ text: each, range })) ?? plainWords(text.line, text.args);
  if (paths.length === 0)
    text.report(errorAt(range, 'missing-argument', 'VOLUME needs an argument', { expected }));
  const empty = paths.find((path) => path.text === '');
  if (empty !== undefined)
    text.report(errorAt(empty.range, 'invalid-value', 'the path of a volume is empty', { expected }));
  return { kind: 'volume', ...commonParts(text), paths };
}

/** `SHELL ["program", "argument"]` */
export function readShell(text: InstructionText): ShellInstruction | undefined {
  const expected = 'SHELL ["program", "argument"]';
  if (!requireArguments(text, expected)) return undefined;
  const range = text.line.range(text.args.start, text.args.end);
  const list = parseJsonForm(text.line.text.slice(text.args.start, text.args.end));
  if (!list.ok || list.value === undefined || list.value.length === 0) {
    const { message, suggestion } = list.ok
      ? {
          message: 'SHELL needs its arguments in JSON form',
          suggestion: shellSuggestion(plainWords(text.line, text.args)),
        }
      : list.error;
    text.report(errorAt(range, 'invalid-json', message, { expected, suggestion }));
    return undefined;
  }
  return { kind: 'shell', ...commonParts(text), args: list.value };
}

/** Plain words as the list that they may have been meant for. */
function shellSuggestion(words: readonly Word[]): string | undefined {
  if (words.some((word) => /["'[\],]/.test(word.text))) return undefined;
  return JSON.stringify(words.map((word) => word.text));
}
