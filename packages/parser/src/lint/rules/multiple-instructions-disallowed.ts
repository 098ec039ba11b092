import type { Instruction } from '../../ast.ts';
import type { Rule } from '../rule.ts';

const ONCE: readonly Instruction['kind'][] = ['cmd', 'entrypoint', 'healthcheck'];

export const MULTIPLE_INSTRUCTIONS_DISALLOWED: Rule = {
  description: 'Multiple instructions of the same type should not be used in the same stage',
  why: 'Of several CMDs in a stage, the last one counts; so with ENTRYPOINT and HEALTHCHECK. Those before it do nothing.',
  wrong: 'FROM scratch\nCMD ["first"]\nCMD ["second"]\n',
  right: 'FROM scratch\nCMD ["second"]\n',
  *check({ stages }) {
    for (const { instructions } of stages.map(({ stage }) => stage)) {
      for (const kind of ONCE) {
        const same = instructions.filter((instruction) => instruction.kind === kind);
        const line = same.at(-1)?.range.start.line;
        for (const [index, { keyword }] of same.slice(0, -1).entries()) {
          // As docker has it: as written where the next one replaces it.
          const written = same[index + 1]?.keyword.text;
          yield {
            range: keyword.range,
            message: `Multiple ${written} instructions should not be used in the same stage because only the last one will be used`,
            hint: `line ${line} is the one that counts`,
          };
        }
      }
    }
  },
};
