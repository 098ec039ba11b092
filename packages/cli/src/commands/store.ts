import { Command } from 'commander';
import { helpNotes } from '../help-notes.ts';
import { checkIds } from '../rootless/enter-namespace.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { printableLine } from '../output/line-splitter.ts';
import { counted } from '../output/format.ts';
import { parseTextFormat, printJson, textFormat } from '../output/print.ts';

interface VerifyFlags {
  readonly repair?: boolean;
  readonly format?: string;
}

/** `caisson store` */
export function storeCommand(context: CommandContext): Command {
  const command = new Command('store').summary('look after the store').description('Looks after the store.');
  return command.addCommand(verifyCommand(context)).addHelpText('after', helpNotes({ examples: EXAMPLES }));
}

const EXAMPLES = [['caisson store verify'], ['caisson store verify --repair']] as const;

function verifyCommand({ terminal, finish }: CommandContext): Command {
  return new Command('verify')
    .summary('look whether everything in the store is what it should be')
    .description(
      'Hashes every blob of the store, compares every tree with its layer, and reads every document. Says what is not what it should be.',
    )
    .option('--repair', 'remove what is wrong: it is made or fetched again when something needs it')
    .addOption(textFormat())
    .addHelpText(
      'after',
      helpNotes({
        examples: EXAMPLES,
        text: ['Exit codes: 0 all is well, or was mended; 1 something is wrong.'],
      }),
    )
    .action(async (flags: VerifyFlags, self: Command) => {
      const format = parseTextFormat(flags.format);
      const isRepair = flags.repair === true;
      checkIds();
      const { verify } = await import('@caisson/builder');
      const { problems, unknown } = await verify({ root: rootOf(self, terminal), isRepair }, (problem) => {
        if (format === 'json') return;
        const { path, message, remedy } = problem;
        terminal.out(`${printableLine(path)} ${message}${isRepair ? `; ${remedy}` : ''}\n`);
      });
      if (format === 'json') {
        printJson(terminal, {
          problems: problems.map(({ path, message, remedy }) => ({ path, message, remedy })),
          unknown,
          isRepaired: isRepair,
        });
      } else terminal.out(summary(problems.length, unknown, isRepair));
      if (problems.length > 0 && !isRepair) finish(EXIT.failed);
    });
}

function summary(problems: number, unknown: number, isRepair: boolean): string {
  const rest = unknown === 0 ? '' : `; ${unknownText(unknown)}`;
  if (problems === 0) return `all is what it should be${rest}\n`;
  const count = counted(problems, 'problem');
  return isRepair ? `mended ${count}${rest}\n` : `${count}${rest}; --repair removes what is wrong\n`;
}

function unknownText(count: number): string {
  return count === 1
    ? '1 tree or table of contents could not be compared with its layer'
    : `${count} trees or tables of contents could not be compared with their layers`;
}
