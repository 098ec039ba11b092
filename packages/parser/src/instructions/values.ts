import type {
  MaintainerInstruction,
  StopsignalInstruction,
  UserInstruction,
  WorkdirInstruction,
} from '../ast.ts';
import { commonParts, requireArguments, type InstructionText } from '../instruction-text.ts';
import { wholeWord } from '../words.ts';

/* Instructions whose whole rest is one value, blanks included. */

/** `WORKDIR path` */
export function readWorkdir(text: InstructionText): WorkdirInstruction | undefined {
  if (!requireArguments(text, 'WORKDIR path')) return undefined;
  return { kind: 'workdir', ...commonParts(text), value: wholeWord(text.line, text.args) };
}

/** `USER user[:group]` */
export function readUser(text: InstructionText): UserInstruction | undefined {
  if (!requireArguments(text, 'USER user[:group]')) return undefined;
  return { kind: 'user', ...commonParts(text), value: wholeWord(text.line, text.args) };
}

/** `STOPSIGNAL signal` */
export function readStopsignal(text: InstructionText): StopsignalInstruction | undefined {
  if (!requireArguments(text, 'STOPSIGNAL name or number')) return undefined;
  return { kind: 'stopsignal', ...commonParts(text), value: wholeWord(text.line, text.args) };
}

/** `MAINTAINER name` */
export function readMaintainer(text: InstructionText): MaintainerInstruction | undefined {
  if (!requireArguments(text, 'MAINTAINER name')) return undefined;
  return { kind: 'maintainer', ...commonParts(text), value: wholeWord(text.line, text.args) };
}
