import type { RunInstruction } from '../ast.ts';
import { errorAt } from '../diagnostic.ts';
import { checkFlags } from '../flags.ts';
import { commonParts, readCommand, requireArguments, type InstructionText } from '../instruction-text.ts';
import { trimmed } from '../words.ts';

/** `RUN [flags] command`, in shell form, exec form or with heredocs */
export function readRun(text: InstructionText): RunInstruction | undefined {
  if (!requireArguments(text, 'RUN command or RUN ["program", "argument"]')) return undefined;
  const { flags, args: rest } = text;
  checkFlags(text.name, flags, { value: ['network', 'security'], repeated: ['mount', 'device'] }).forEach(
    text.report,
  );
  const span = trimmed(text.line, rest);
  const command = readCommand(text, span);
  if (command === undefined) return undefined;
  if (command.form === 'shell' ? command.text === '' : command.args.length === 0) {
    text.report(
      errorAt(text.keyword.range, 'missing-argument', 'RUN needs a command', { expected: 'RUN command' }),
    );
    return undefined;
  }
  const commandRange = text.line.range(span.start, span.end);
  return { kind: 'run', ...commonParts(text), flags, command, commandRange, heredocs: text.heredocs };
}
