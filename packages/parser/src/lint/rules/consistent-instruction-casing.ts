import type { Rule } from '../rule.ts';

export const CONSISTENT_INSTRUCTION_CASING: Rule = {
  description: 'All commands within the Dockerfile should use the same casing (either upper or lower)',
  why: 'Instructions may be written in any case, but a Dockerfile is easier to read where all of them are written in one way. What most of them have counts; where there are as many of both, upper case. The ARGs before the first FROM do not count, as with docker.',
  wrong: 'FROM scratch\nCOPY a /\ncopy b /\n',
  right: 'FROM scratch\nCOPY a /\nCOPY b /\n',
  *check({ dockerfile }) {
    const keywords = dockerfile.stages
      .flatMap(({ from, instructions }) => [from, ...instructions])
      .map(({ keyword }) => keyword);
    const lower = keywords.filter(({ text }) => text === text.toLowerCase()).length;
    const upper = keywords.filter(({ text }) => text === text.toUpperCase()).length;
    const isLower = lower > upper;
    for (const { text, range } of keywords) {
      const wanted = isLower ? text.toLowerCase() : text.toUpperCase();
      if (text === wanted) continue;
      const majority = isLower ? 'lowercase' : 'uppercase';
      yield {
        range,
        message: `Command '${text}' should match the case of the command majority (${majority})`,
        suggestion: wanted,
      };
    }
  },
};
