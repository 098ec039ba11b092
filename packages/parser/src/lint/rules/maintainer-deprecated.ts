import { instructionsOf } from '../instructions-of.ts';
import type { Rule } from '../rule.ts';

export const MAINTAINER_DEPRECATED: Rule = {
  description: 'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
  why: 'A label can be read as all others are, and has a name that the whole field knows.',
  wrong: 'FROM scratch\nMAINTAINER ann@example.com\n',
  right: 'FROM scratch\nLABEL org.opencontainers.image.authors="ann@example.com"\n',
  *check({ dockerfile }) {
    for (const instruction of instructionsOf(dockerfile)) {
      if (instruction.kind !== 'maintainer') continue;
      yield {
        range: instruction.keyword.range,
        message: 'Maintainer instruction is deprecated in favor of using label',
        suggestion: `LABEL org.opencontainers.image.authors=${JSON.stringify(instruction.value.text)}`,
      };
    }
  },
};
