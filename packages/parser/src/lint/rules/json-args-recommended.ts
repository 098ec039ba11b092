import type { CmdInstruction, EntrypointInstruction } from '../../ast.ts';
import type { Range, SourceText } from '../../source-text.ts';
import { details, type Rule } from '../rule.ts';

export const JSON_ARGS_RECOMMENDED: Rule = {
  description:
    'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
  why: 'In the shell form, the first process of a container is a shell, which passes no signals on: `docker stop` waits for ten seconds and kills the program. SHELL says that a shell is meant, and then nothing is found.',
  wrong: 'FROM scratch\nCMD my-server --port 80\n',
  right: 'FROM scratch\nCMD ["my-server", "--port", "80"]\n',
  needsBase: true,
  *check({ dockerfile, stages }) {
    for (const { instruction, scope } of stages.flatMap(({ instructions }) => instructions)) {
      if (instruction.kind !== 'cmd' && instruction.kind !== 'entrypoint') continue;
      if (instruction.command.form === 'exec' || scope.hasShell || !scope.isComplete) continue;
      const { text } = instruction.keyword;
      const suggestion = asJson(instruction.command.text);
      yield {
        range: rangeOfCommand(dockerfile.source, instruction),
        message: `JSON arguments recommended for ${text} to prevent unintended behavior related to OS signals`,
        ...details(
          suggestion === undefined
            ? { expected: `${text} ["program", "argument"], or a SHELL before it where a shell is meant` }
            : { suggestion: `${text} ${suggestion}` },
        ),
      };
    }
  },
};

/** A command as JSON, where no shell is needed to understand it. */
function asJson(command: string): string | undefined {
  if (!/^[\w@%+:,./ -][\w@%+=:,./ -]*$/.test(command)) return undefined;
  const [program = '', ...args] = command.split(/ +/);
  if (program.includes('=') || SHELL_WORDS.has(program)) return undefined;
  return `[${[program, ...args].map((word) => JSON.stringify(word)).join(', ')}]`;
}

/** What only a shell knows. */
const SHELL_WORDS = new Set([
  '.',
  'cd',
  'eval',
  'exec',
  'exit',
  'export',
  'if',
  'set',
  'source',
  'ulimit',
  'umask',
]);

function rangeOfCommand(
  source: SourceText,
  { keyword, range }: CmdInstruction | EntrypointInstruction,
): Range {
  const rest = source.text.slice(keyword.range.end.offset, range.end.offset);
  const lead = rest.length - rest.trimStart().length;
  return rest.trim() === '' ? keyword.range : source.range(keyword.range.end.offset + lead, range.end.offset);
}
