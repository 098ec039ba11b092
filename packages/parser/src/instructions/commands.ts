import type { CmdInstruction, EntrypointInstruction } from '../ast.ts';
import { commonParts, readCommand, type InstructionText } from '../instruction-text.ts';

/** `CMD command` or `CMD ["program", "argument"]` */
export function readCmd(text: InstructionText): CmdInstruction | undefined {
  const command = readCommand(text, text.args);
  return command === undefined ? undefined : { kind: 'cmd', ...commonParts(text), command };
}

/** `ENTRYPOINT command` or `ENTRYPOINT ["program", "argument"]` */
export function readEntrypoint(text: InstructionText): EntrypointInstruction | undefined {
  const command = readCommand(text, text.args);
  return command === undefined ? undefined : { kind: 'entrypoint', ...commonParts(text), command };
}
