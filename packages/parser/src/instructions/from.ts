import type { FromInstruction } from '../ast.ts';
import { errorAt, type Diagnostic } from '../diagnostic.ts';
import { checkFlags } from '../flags.ts';
import { COMMENT_HINT, commonParts, requireArguments, type InstructionText } from '../instruction-text.ts';
import { plainWords, type Word } from '../words.ts';

const EXPECTED = 'FROM image [AS name]';
const TOO_MANY = 'FROM takes an image and a name for the stage';
const STAGE_NAME = /^[a-z][a-z0-9_.-]*$/;

/** `FROM [--platform=P] image [AS name]` */
export function readFrom(text: InstructionText): FromInstruction | undefined {
  if (!requireArguments(text, EXPECTED)) return undefined;
  const { flags, args: rest } = text;
  checkFlags(text.name, flags, { value: ['platform'] }).forEach(text.report);
  const [image, as, stageName, ...others] = plainWords(text.line, rest);
  if (image === undefined) {
    text.report(
      errorAt(text.keyword.range, 'missing-argument', 'FROM needs an image', { expected: EXPECTED }),
    );
    return undefined;
  }
  if (as !== undefined && (stageName === undefined || others.length > 0 || as.text.toLowerCase() !== 'as')) {
    text.report(wrongName(image, as, stageName, others));
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

/** What is wrong with the words behind the image of a FROM: they are `AS` and a name, or none. */
function wrongName(image: Word, as: Word, stageName: Word | undefined, others: readonly Word[]): Diagnostic {
  const comment = [as, stageName, ...others].find((word) => word?.text.startsWith('#') === true);
  if (comment !== undefined) {
    const { end } = (others.at(-1) ?? stageName ?? as).range;
    const details = { expected: EXPECTED, hint: COMMENT_HINT };
    return errorAt({ start: comment.range.start, end }, 'too-many-arguments', TOO_MANY, details);
  }
  const isAs = as.text.toLowerCase() === 'as';
  if (stageName === undefined) {
    if (isAs)
      return errorAt(as.range, 'missing-argument', 'AS needs a name for the stage', { expected: EXPECTED });
    const details = { expected: EXPECTED, suggestion: `${image.text} AS ${as.text}` };
    return errorAt(as.range, 'too-many-arguments', 'AS stands before the name of a stage', details);
  }
  const last = others.at(-1);
  if (last === undefined) {
    const message = `${JSON.stringify(as.text)} stands where AS should`;
    const suggestion = `${image.text} AS ${stageName.text}`;
    return errorAt(as.range, 'invalid-value', message, { expected: EXPECTED, suggestion });
  }
  const { start } = (isAs ? others[0] : as)?.range ?? as.range;
  return errorAt({ start, end: last.range.end }, 'too-many-arguments', TOO_MANY, { expected: EXPECTED });
}
