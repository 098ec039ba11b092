import type { HealthcheckInstruction } from '../ast.ts';
import { errorAt, type Diagnostic } from '../diagnostic.ts';
import { checkFlags, type Flag } from '../flags.ts';
import { parseGoDuration } from '../go-duration.ts';
import { commonParts, readCommand, requireArguments, type InstructionText } from '../instruction-text.ts';
import { suggest } from '../suggest.ts';
import { plainWords, trimmed, type Word } from '../words.ts';

const EXPECTED = 'HEALTHCHECK [--interval=30s] CMD command, or HEALTHCHECK NONE';
const ONE_MILLISECOND = 1e6;

/** What NONE has, whatever its flags say. */
const NO_TIMING = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };

/** `HEALTHCHECK [flags] CMD command` or `HEALTHCHECK NONE` */
export function readHealthcheck(text: InstructionText): HealthcheckInstruction | undefined {
  if (!requireArguments(text, EXPECTED)) return undefined;
  const { flags, args: rest } = text;
  checkFlags(text.name, flags, {
    value: ['interval', 'timeout', 'start-period', 'start-interval', 'retries'],
  }).forEach(text.report);
  const [type, extra] = plainWords(text.line, rest);
  const timing = {
    interval: duration(text, flags, 'interval'),
    timeout: duration(text, flags, 'timeout'),
    startPeriod: duration(text, flags, 'start-period'),
    startInterval: duration(text, flags, 'start-interval'),
    retries: retries(text, flags),
  };
  switch (type?.text.toUpperCase()) {
    case 'NONE':
      if (extra !== undefined) {
        const range = { start: extra.range.start, end: text.range.end };
        text.report(
          errorAt(range, 'too-many-arguments', 'HEALTHCHECK NONE takes no arguments', {
            expected: EXPECTED,
          }),
        );
      }
      return { kind: 'healthcheck', ...commonParts(text), command: undefined, ...NO_TIMING };
    case 'CMD': {
      const at = text.line.text.toUpperCase().indexOf('CMD', rest.start) + 'CMD'.length;
      const command = readCommand(text, trimmed(text.line, { start: at, end: rest.end }));
      if (command === undefined) return undefined;
      const isEmpty = command.form === 'shell' ? command.text === '' : command.args.length === 0;
      if (isEmpty)
        text.report(
          errorAt(type?.range ?? text.range, 'missing-argument', 'HEALTHCHECK CMD needs a command', {
            expected: EXPECTED,
          }),
        );
      return { kind: 'healthcheck', ...commonParts(text), command, ...timing };
    }
    default:
      text.report(unknownType(type ?? { text: '', range: text.range }, extra));
      return undefined;
  }
}

function unknownType({ text, range }: Word, next: Word | undefined): Diagnostic {
  const suggestion = suggest(text, ['CMD', 'NONE']);
  return errorAt(range, 'invalid-value', `${JSON.stringify(text)} is no kind of health check`, {
    expected: EXPECTED,
    suggestion,
    ...(suggestion !== undefined || next === undefined ? {} : { hint: 'CMD stands before the command' }),
  });
}

function duration(text: InstructionText, flags: readonly Flag[], name: string): number {
  const flag = flags.find((each) => each.name === name);
  if (flag?.value === undefined || flag.value === '') return 0;
  const value = parseGoDuration(flag.value);
  if (value !== undefined && (value === 0 || value >= ONE_MILLISECOND)) return value;
  const message =
    value === undefined
      ? `${JSON.stringify(flag.value)} is no duration`
      : `--${name} must be 0 or at least 1ms`;
  text.report(
    errorAt(flag.valueRange, 'invalid-value', message, {
      expected: 'numbers with units: 1m30s, 500ms',
      suggestion: /^\d+$/.test(flag.value) ? `${flag.value}s` : undefined,
    }),
  );
  return 0;
}

function retries(text: InstructionText, flags: readonly Flag[]): number {
  const flag = flags.find((each) => each.name === 'retries');
  if (flag?.value === undefined || flag.value === '') return 0;
  const value = Number(flag.value);
  if (/^\+?\d{1,9}$/.test(flag.value)) return value;
  text.report(
    errorAt(
      flag.valueRange,
      'invalid-value',
      `--retries is a number from 0, not ${JSON.stringify(flag.value)}`,
      {
        expected: '--retries=3',
      },
    ),
  );
  return 0;
}
