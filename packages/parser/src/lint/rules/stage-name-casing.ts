import type { Rule } from '../rule.ts';

export const STAGE_NAME_CASING: Rule = {
  description: 'Stage names should be lowercase',
  why: 'Stage names are compared without regard to case, but FROM takes a name in upper case for an image: `FROM Build` does not find the stage `Build`.',
  wrong: 'FROM scratch AS Build\n',
  right: 'FROM scratch AS build\n',
  *check({ dockerfile }) {
    for (const { from } of dockerfile.stages) {
      const name = from.stageName;
      if (name === undefined || name.text === name.text.toLowerCase()) continue;
      yield {
        range: name.range,
        message: `Stage name '${name.text}' should be lowercase`,
        suggestion: name.text.toLowerCase(),
      };
    }
  },
};
