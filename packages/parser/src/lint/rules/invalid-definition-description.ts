import type { ArgInstruction, FromInstruction } from '../../ast.ts';
import { commentsAbove, isOwnSettings } from '../comments-above.ts';
import { instructionsOf } from '../instructions-of.ts';
import type { Rule } from '../rule.ts';

export const INVALID_DEFINITION_DESCRIPTION: Rule = {
  description:
    'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.',
  why: 'The comment above a stage or an ARG is shown as its description where the stages and args of a Dockerfile are listed, if it begins with the name. The rule is experimental: only `# check=experimental=InvalidDefinitionDescription` turns it on.',
  wrong:
    '# check=experimental=InvalidDefinitionDescription\n\n# The version to build\nARG VERSION\nFROM scratch\n',
  right:
    '# check=experimental=InvalidDefinitionDescription\n\n# VERSION is the version to build\nARG VERSION\nFROM scratch\n',
  isExperimental: true,
  *check({ dockerfile }) {
    for (const instruction of instructionsOf(dockerfile)) {
      if (instruction.kind !== 'from' && instruction.kind !== 'arg') continue;
      const names = namesOf(instruction);
      const last = commentsAbove(dockerfile, instruction).findLast(({ text }) => !isOwnSettings(text));
      const [name] = names;
      if (name === undefined || last === undefined || last.text === '') continue;
      const [word = ''] = last.text.split(' ');
      if (names.includes(word)) continue;
      const shown = names.length > 1 ? '<arg_key>' : name;
      yield {
        range: last.range,
        message: `Comment for ${instruction.kind.toUpperCase()} should follow the format: \`# ${shown} <description>\``,
        instruction,
        hint: 'a line that holds # alone says that it is no description',
      };
    }
  },
};

function namesOf(instruction: FromInstruction | ArgInstruction): string[] {
  if (instruction.kind === 'arg') return instruction.args.map(({ name }) => name.text);
  return instruction.stageName === undefined ? [] : [instruction.stageName.text.toLowerCase()];
}
