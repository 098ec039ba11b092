import type { ArgInstruction, EnvInstruction, LabelInstruction, Pair } from '../ast.ts';
import { errorAt } from '../diagnostic.ts';
import { COMMENT_HINT, commonParts, requireArguments, type InstructionText } from '../instruction-text.ts';
import { plainWords, quotedWords, wholeWord, type Word } from '../words.ts';

/** `ENV name=value...`, or the old `ENV name value` */
export function readEnv(text: InstructionText): EnvInstruction | undefined {
  const read = readPairs(text);
  return read === undefined ? undefined : { kind: 'env', ...commonParts(text), ...read };
}

/** `LABEL name=value...`, or the old `LABEL name value` */
export function readLabel(text: InstructionText): LabelInstruction | undefined {
  const read = readPairs(text);
  return read === undefined ? undefined : { kind: 'label', ...commonParts(text), ...read };
}

function readPairs(
  text: InstructionText,
): { readonly pairs: readonly Pair[]; readonly isLegacy: boolean } | undefined {
  const expected = `${text.name} name=value`;
  if (!requireArguments(text, expected)) return undefined;
  const words = quotedWords(text.line, text.args, text.escape);
  const [first] = words;
  if (first === undefined) return undefined;
  if (!first.text.includes('=')) return readLegacyPair(text, expected);
  const pairs: Pair[] = [];
  for (const word of words) {
    const pair = splitPair(text, word);
    if (pair === undefined) {
      const isComment = word.text.startsWith('#');
      const help = isComment
        ? { hint: COMMENT_HINT }
        : { suggestion: quotedPair(words, word), hint: 'put a value that holds blanks in quotes' };
      const message = `${JSON.stringify(word.text)} has no "="`;
      text.report(errorAt(word.range, 'invalid-key-value', message, { expected, ...help }));
      if (isComment) return undefined; // so is all behind it
    } else if (pair.key.text === '') {
      text.report(errorAt(word.range, 'invalid-key-value', 'the name before "=" is empty', { expected }));
    } else pairs.push(pair);
  }
  return { pairs, isLegacy: false };
}

/** `name="value with blanks"`, where a value without quotes seems to go on in the words behind it. */
function quotedPair(words: readonly Word[], stray: Word): string | undefined {
  const at = words.indexOf(stray);
  const first = words[at - 1]?.text ?? '';
  const next = words.findIndex(({ text }, index) => index > at && text.includes('='));
  const value = words
    .slice(at - 1, next === -1 ? undefined : next)
    .map(({ text }) => text)
    .join(' ');
  if (!first.includes('=') || /["'\\`]/.test(value)) return undefined;
  return value.replace(/= */, '="') + '"';
}

/** `ENV name the rest of the line`: the first blank divides, quotes or not. */
function readLegacyPair(
  text: InstructionText,
  expected: string,
): { readonly pairs: readonly Pair[]; readonly isLegacy: boolean } | undefined {
  const [key, second] = plainWords(text.line, text.args);
  if (key === undefined || second === undefined) {
    text.report(
      errorAt(text.range, 'invalid-key-value', `${text.name} must have two arguments`, { expected }),
    );
    return undefined;
  }
  const value = wholeWord(text.line, { start: text.args.start + key.text.length, end: text.args.end });
  return { pairs: [{ key, value }], isLegacy: true };
}

/** `ARG name[=default]...` */
export function readArg(text: InstructionText): ArgInstruction | undefined {
  const expected = 'ARG name or ARG name=default';
  if (!requireArguments(text, expected)) return undefined;
  const args: { name: Word; value?: Word }[] = [];
  for (const word of quotedWords(text.line, text.args, text.escape)) {
    const pair = splitPair(text, word);
    const name = pair?.key ?? word;
    if (name.text === '')
      text.report(errorAt(word.range, 'invalid-key-value', 'the name before "=" is empty', { expected }));
    else args.push(pair === undefined ? { name } : { name, value: pair.value });
  }
  return { kind: 'arg', ...commonParts(text), args };
}

function splitPair(_text: InstructionText, { text, range }: Word): Pair | undefined {
  const equals = text.indexOf('=');
  if (equals === -1) return undefined;
  const move = (count: number): typeof range.start => ({
    line: range.start.line,
    column: range.start.column + count,
    offset: range.start.offset + count,
  });
  return {
    key: { text: text.slice(0, equals), range: { start: range.start, end: move(equals) } },
    value: { text: text.slice(equals + 1), range: { start: move(equals + 1), end: range.end } },
  };
}
