import type { Instruction } from '../../ast.ts';
import type { Rule } from '../rule.ts';

const ONCE: ReadonlySet<Instruction['kind']> = new Set(['cmd', 'entrypoint', 'healthcheck']);

export const MULTIPLE_INSTRUCTIONS_DISALLOWED: Rule = {
  description: 'Multiple instructions of the same type should not be used in the same stage',
  why: 'Of several CMDs in a stage, the last one counts; so with ENTRYPOINT and HEALTHCHECK. Those before it do nothing.',
  wrong: 'FROM scratch\nCMD ["first"]\nCMD ["second"]\n',
  right: 'FROM scratch\nCMD ["second"]\n',
  *check({ stages }) {
    for (const { stage } of stages) {
      const lastOf = new Map(stage.instructions.map((instruction) => [instruction.kind, instruction]));
      for (const instruction of stage.instructions) {
        const { kind, keyword } = instruction;
        const last = lastOf.get(kind);
        if (!ONCE.has(kind) || last === undefined || last === instruction) continue;
        yield {
          range: keyword.range,
          message: `Multiple ${kind.toUpperCase()} instructions should not be used in the same stage because only the last one will be used`,
          hint: `line ${last.range.start.line} is the one that counts`,
        };
      }
    }
  },
};
