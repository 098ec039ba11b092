import type { FromInstruction } from '../ast.ts';
import { errorAt } from '../diagnostic.ts';
import { checkFlags } from '../flags.ts';
import { commonParts, requireArguments, type InstructionText } from '../instruction-text.ts';
import { plainWords } from '../words.ts';

const STAGE_NAME = /^[a-z][a-z0-9_.-]*$/;

/** `FROM [--platform=P] image [AS name]` */
export function readFrom(text: InstructionText): FromInstruction | undefined {
  const expected = 'FROM image [AS name]';
  if (!requireArguments(text, expected)) return undefined;
  const { flags, args: rest } = text;
  checkFlags(text.name, flags, { value: ['platform'] }).forEach(text.report);
  const [image, as, stageName, ...others] = plainWords(text.line, rest);
  if (image === undefined) {
    text.report(errorAt(text.keyword.range, 'missing-argument', 'FROM needs an image', { expected }));
    return undefined;
  }
  if (
    others.length > 0 ||
    (as !== undefined && (stageName === undefined || as.text.toLowerCase() !== 'as'))
  ) {
    const { start, end } = rest;
    text.report(
      errorAt(
        text.line.range(start, end),
        'too-many-arguments',
        'FROM takes an image and a name for the stage',
        { expected },
      ),
    );
    return undefined;
  }
  if (stageName !== undefined && !STAGE_NAME.test(stageName.text.toLowerCase())) {
    text.report(
      errorAt(
        stageName.range,
        'invalid-stage-name',
        `${JSON.stringify(stageName.text)} cannot be the name of a stage`,
        {
          expected: 'a letter, then letters, digits, "_", "." and "-"',
        },
      ),
    );
  }
  const platform = flags.find((flag) => flag.name === 'platform');
  return {
    kind: 'from',
    ...commonParts(text),
    image,
    ...(platform === undefined ? {} : { platform }),
    ...(as === undefined ? {} : { as }),
    ...(stageName === undefined ? {} : { stageName }),
  };
}
