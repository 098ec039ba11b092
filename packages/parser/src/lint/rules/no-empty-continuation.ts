import { instructionsOf } from '../instructions-of.ts';
import type { Rule } from '../rule.ts';

export const NO_EMPTY_CONTINUATION: Rule = {
  description: 'Empty continuation lines will become errors in a future release',
  why: 'An empty line looks like the end of an instruction. In the midst of continued lines it is skipped, and what follows still belongs to the instruction above.',
  wrong: 'FROM scratch\nCOPY a \\\n\n  b /files/\n',
  right: 'FROM scratch\nCOPY a \\\n  b /files/\n',
  *check({ dockerfile }) {
    for (const { emptyLines } of instructionsOf(dockerfile)) {
      const [first] = emptyLines;
      if (first === undefined) continue;
      yield {
        range: dockerfile.source.lineRange(first),
        message: 'Empty continuation line',
        hint: 'leave the line out, or make a comment of it',
      };
    }
  },
};
