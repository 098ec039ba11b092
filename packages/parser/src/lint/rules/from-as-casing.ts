import type { Rule } from '../rule.ts';

export const FROM_AS_CASING: Rule = {
  description: "The 'as' keyword should match the case of the 'from' keyword",
  why: 'A Dockerfile is easier to read where all its keywords are written in one way.',
  wrong: 'FROM scratch as build\n',
  right: 'FROM scratch AS build\n',
  *check({ dockerfile }) {
    for (const { from } of dockerfile.stages) {
      const { as, keyword } = from;
      if (as === undefined) continue;
      const wanted = inCaseOf(keyword.text, as.text);
      if (as.text === wanted) continue;
      yield {
        range: as.range,
        message: `'${as.text}' and '${keyword.text}' keywords' casing do not match`,
        suggestion: wanted,
      };
    }
  },
};

/** A word in the case of another; as it is where that has letters of both cases. */
function inCaseOf(model: string, word: string): string {
  if (model === model.toUpperCase()) return word.toUpperCase();
  return model === model.toLowerCase() ? word.toLowerCase() : word;
}
