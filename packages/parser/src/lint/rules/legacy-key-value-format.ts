import type { Rule } from '../rule.ts';

export const LEGACY_KEY_VALUE_FORMAT: Rule = {
  description: 'Legacy key/value format with whitespace separator should not be used',
  why: '`ENV a b=c d` sets one variable to all the rest of the line. With an equals sign everybody sees what belongs to what.',
  wrong: 'FROM scratch\nENV NAME some value\n',
  right: 'FROM scratch\nENV NAME="some value"\n',
  *check({ dockerfile, stages }) {
    for (const { instruction } of stages.flatMap(({ instructions }) => instructions)) {
      if ((instruction.kind !== 'env' && instruction.kind !== 'label') || !instruction.isLegacy) continue;
      const [pair] = instruction.pairs;
      if (pair === undefined) continue;
      const { text } = instruction.keyword;
      yield {
        range: dockerfile.source.range(pair.key.range.start.offset, pair.value.range.end.offset),
        message: `"${text} key=value" should be used instead of legacy "${text} key value" format`,
        suggestion: `${text} ${pair.key.text}=${quoted(pair.value.text)}`,
      };
    }
  },
};

/** A value that may hold blanks, as one word; one that has quotes or escapes of its own is left as it is. */
function quoted(value: string): string {
  if (!/\s/.test(value)) return value;
  return /^(?:"[^"]*"|'[^']*')$/.test(value) ? value : `"${value.replaceAll('"', String.raw`\"`)}"`;
}
