import { Command } from 'commander';
import { rootOf, type CommandContext } from '../command-context.ts';
import { withStore } from '../open-store.ts';
import { size } from '../output/format.ts';
import { FORMAT_FLAG, FORMAT_HELP, printListing } from '../output/print.ts';

/** `caisson du` */
export function duCommand({ terminal }: CommandContext): Command {
  return new Command('du')
    .summary('show what the store takes on the disk')
    .description('Shows what the store holds, what that takes on the disk, and what prune would free of it.')
    .option(FORMAT_FLAG, FORMAT_HELP)
    .addHelpText(
      'after',
      `
Examples:
  caisson du
  caisson du --format json
`,
    )
    .action(async (flags: { readonly format?: string }, self: Command) => {
      const { diskUsage } = await import('@caisson/store');
      const rows = await withStore(rootOf(self, terminal), diskUsage);
      printListing(terminal, flags.format, rows, {
        headings: ['KIND', 'COUNT', 'SIZE', 'RECLAIMABLE'],
        row: ({ kind, count, bytes, reclaimable }) => [kind, String(count), size(bytes), size(reclaimable)],
      });
    });
}
