import type { OnbuildInstruction } from '../ast.ts';
import { errorAt } from '../diagnostic.ts';
import { commonParts, requireArguments, type InstructionText } from '../instruction-text.ts';
import { plainWords } from '../words.ts';

/** What ONBUILD cannot hold. */
export const ONBUILD_FORBIDS: ReadonlySet<string> = new Set(['ONBUILD', 'FROM', 'MAINTAINER']);

const EXPECTED = 'any instruction but ONBUILD, FROM and MAINTAINER';

/** `ONBUILD instruction` */
export function readOnbuild(text: InstructionText): OnbuildInstruction | undefined {
  if (!requireArguments(text, 'ONBUILD instruction')) return undefined;
  const [first] = plainWords(text.line, text.args);
  if (first !== undefined && ONBUILD_FORBIDS.has(first.text.toUpperCase())) {
    text.report(
      errorAt(first.range, 'invalid-onbuild', `ONBUILD cannot hold ${first.text.toUpperCase()}`, {
        expected: EXPECTED,
      }),
    );
    return undefined;
  }
  const bodies = text.heredocs.map(({ body, name }) => `\n${body}${name}`).join('');
  return {
    kind: 'onbuild',
    ...commonParts(text),
    // The blanks at its end are kept, as docker keeps them.
    trigger: text.line.text.slice(text.args.start) + bodies,
  };
}
