import type { Instruction } from '../../ast.ts';
import type { Word } from '../../words.ts';
import type { Rule } from '../rule.ts';

const SECRET = /(?:^|_)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
/** What is named so is no secret, whatever else the name says. */
const NO_SECRET = /(?:^|_)(?:public|file|version)(?:_|$)/i;

export const SECRETS_USED_IN_ARG_OR_ENV: Rule = {
  description: 'Sensitive data should not be used in the ARG or ENV commands',
  why: 'The value of an ENV is in the image for all to read, and that of an ARG in its history. The rule goes by the names of variables.',
  wrong: 'FROM scratch\nARG NPM_TOKEN\n',
  right: 'FROM busybox\nRUN --mount=type=secret,id=npm,env=NPM_TOKEN true\n',
  *check({ stages }) {
    for (const { instruction } of stages.flatMap(({ instructions }) => instructions)) {
      for (const { text, range } of namesOf(instruction)) {
        if (!SECRET.test(text) || NO_SECRET.test(text)) continue;
        const keyword = instruction.kind.toUpperCase();
        yield {
          range,
          message: `Do not use ARG or ENV instructions for sensitive data (${keyword} ${JSON.stringify(text)})`,
          hint: 'RUN --mount=type=secret shows a secret to one command, and leaves it in no layer',
        };
      }
    }
  },
};

function namesOf(instruction: Instruction): readonly Word[] {
  if (instruction.kind === 'arg') return instruction.args.map(({ name }) => name);
  return instruction.kind === 'env' ? instruction.pairs.map(({ key }) => key) : [];
}
