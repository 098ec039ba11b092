import type { OnbuildInstruction } from '../ast.ts';
import { errorAt } from '../diagnostic.ts';
import { commonParts, requireArguments, type InstructionText } from '../instruction-text.ts';
import { plainWords } from '../words.ts';

const FORBIDDEN = new Set(['ONBUILD', 'FROM', 'MAINTAINER']);

/** `ONBUILD instruction` */
export function readOnbuild(text: InstructionText): OnbuildInstruction | undefined {
  if (!requireArguments(text, 'ONBUILD instruction')) return undefined;
  const [first] = plainWords(text.line, text.args);
  if (first !== undefined && FORBIDDEN.has(first.text.toUpperCase())) {
    text.report(errorAt(first.range, 'invalid-onbuild', `ONBUILD cannot hold ${first.text.toUpperCase()}`));
    return undefined;
  }
  const bodies = text.heredocs.map(({ body, name }) => `\n${body}${name}`).join('');
  return {
    kind: 'onbuild',
    ...commonParts(text),
    trigger: text.line.text.slice(text.args.start, text.args.end) + bodies,
  };
}
