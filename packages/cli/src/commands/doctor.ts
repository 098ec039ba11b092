import { Command } from 'commander';
import { helpNotes } from '../help-notes.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { examineHost, examineWithoutIds, type Finding } from '../doctor/examine-host.ts';
import { EXIT } from '../exit-codes.ts';
import { parseTextFormat, printJson, textFormat } from '../output/print.ts';
import { whyNoIds } from '../rootless/enter-namespace.ts';

/** `caisson doctor` */
export function doctorCommand({ terminal, finish }: CommandContext): Command {
  return new Command('doctor')
    .summary('say what this machine can do, and what would make it do more')
    .description(
      'Tries what builds need on this machine, and says what to do about what does not work. Ends with 1 if nothing can be built.',
    )
    .addOption(textFormat())
    .addHelpText('after', helpNotes({ examples: [['caisson doctor'], ['caisson doctor --format json']] }))
    .action(async (flags: { readonly format?: string }, self: Command) => {
      const format = parseTextFormat(flags.format);
      const root = rootOf(self, terminal);
      const noIds = whyNoIds();
      const { isolation, findings } = await (noIds === undefined
        ? examineHost(root)
        : examineWithoutIds(root, noIds));
      if (format === 'json') printJson(terminal, { isolation: isolation ?? null, findings });
      else terminal.out(findings.map(lineOf).join(''));
      finish(isolation === undefined ? EXIT.failed : EXIT.ok);
    });
}

function lineOf({ state, what, says, fix }: Finding): string {
  const remedy = fix === undefined ? '' : `\n         ${fix}`;
  return `${state.padEnd(7)}  ${what}: ${says}${remedy}\n`;
}
