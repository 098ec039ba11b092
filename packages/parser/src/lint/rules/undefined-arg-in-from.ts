import type { Dockerfile, FromInstruction } from '../../ast.ts';
import { suggest } from '../../suggest.ts';
import type { LintedDockerfile } from '../linted-dockerfile.ts';
import { details, type Finding, type Rule } from '../rule.ts';
import { noteVariables, placeOfVariable } from '../variables.ts';

export const UNDEFINED_ARG_IN_FROM: Rule = {
  description: 'FROM command must use declared ARGs',
  why: 'FROM sees only the ARGs before the first FROM. A variable that none of them declares is empty, also where the build is given a value for it.',
  wrong: 'ARG VARIANT=:musl\nFROM busybox${VARIENT}\n',
  right: 'ARG VARIANT=:musl\nFROM busybox${VARIANT}\n',
  *check(linted) {
    const declared = new Set([
      ...linted.globalArgs.keys(),
      ...linted.dockerfile.globalArgs.flatMap(({ args }) => args.map(({ name }) => name.text)),
    ]);
    for (const { from } of linted.dockerfile.stages) yield* checkFrom(linted, from, declared);
  },
};

function* checkFrom(
  { dockerfile, globalArgs }: LintedDockerfile,
  from: FromInstruction,
  declared: ReadonlySet<string>,
): Generator<Finding> {
  const words = [
    { text: from.image.text, range: from.image.range },
    ...(from.platform?.value === undefined
      ? []
      : [{ text: from.platform.value, range: from.platform.range }]),
  ];
  for (const { text, range } of words) {
    for (const name of noteVariables(text, globalArgs, dockerfile.escape).unset) {
      if (declared.has(name)) continue;
      yield {
        range: placeOfVariable(dockerfile.source, range, name),
        message: `FROM argument '${name}' is not declared`,
        ...details({
          expected: `ARG ${name} before the first FROM`,
          suggestion: suggest(name, declared),
          hint: hintOf(dockerfile, name),
        }),
      };
    }
  }
}

/** An ARG of a stage may have been meant. */
function hintOf({ stages }: Dockerfile, name: string): string | undefined {
  const arg = stages
    .flatMap(({ instructions }) => instructions)
    .find((each) => each.kind === 'arg' && each.args.some((one) => one.name.text === name));
  if (arg === undefined) return undefined;
  return `the ARG of line ${arg.range.start.line} belongs to its stage: FROM does not see it`;
}
