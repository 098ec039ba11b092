import { Command } from 'commander';
import type { EntryUsage } from '@caisson/store';
import { helpNotes } from '../help-notes.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { shownName } from '../image-names.ts';
import { withStore } from '../open-store.ts';
import { ago, size } from '../output/format.ts';
import { listingFormat, parseListingFormat, printListing } from '../output/print.ts';
import { checkIds } from '../rootless/enter-namespace.ts';

interface DuFlags {
  readonly verbose?: boolean;
  readonly format?: string;
}

/** `caisson du` */
export function duCommand({ terminal }: CommandContext): Command {
  return new Command('du')
    .summary('show what the store takes on the disk')
    .description('Shows what the store holds, what that takes on the disk, and what prune would free of it.')
    .option('-v, --verbose', 'show each entry: when it was last used, and what uses it')
    .addOption(listingFormat())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['caisson du'],
          ['caisson du -v'],
          ['caisson du -v --format json | jq \'.[] | select(.kind == "step")\''],
        ],
      }),
    )
    .action(async (flags: DuFlags, self: Command) => {
      const format = parseListingFormat(flags.format);
      const root = rootOf(self, terminal);
      checkIds(); // what was never measured is walked
      const { diskUsage, entryUsage } = await import('@caisson/store');
      if (flags.verbose !== true) {
        printListing(terminal, format, await withStore(root, diskUsage), {
          headings: ['KIND', 'COUNT', 'SIZE', 'RECLAIMABLE'],
          row: ({ kind, count, bytes, reclaimable }) => [kind, String(count), size(bytes), size(reclaimable)],
        });
        return;
      }
      const now = Date.now();
      printListing(terminal, format, await withStore(root, entryUsage), {
        headings: ['KIND', 'ID', 'SIZE', 'LAST USED', 'USED BY', 'WHAT'],
        row: (entry) => [
          entry.kind,
          entry.id.slice(0, SHORT_ID),
          size(entry.bytes),
          ago(entry.lastUsed ?? undefined, now),
          userOf(entry),
          entry.kind === 'image' ? '' : entry.title,
        ],
      });
    });
}

const SHORT_ID = 12;

/** Images with a name need something of it: that stays, the rest can go. */
function userOf({ names, isInUse }: EntryUsage): string {
  const keepers = names.map(shownName);
  if (isInUse) keepers.unshift('a running build');
  return keepers.join(', ') || '-';
}
