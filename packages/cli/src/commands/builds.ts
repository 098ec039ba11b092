import { Command } from 'commander';
import type { KeptReport } from '@caisson/builder';
import { buildTitle } from '../build-title.ts';
import { helpNotes } from '../help-notes.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { withStore } from '../open-store.ts';
import { ago, countsText, seconds, type StepCounts } from '../output/format.ts';
import { listingFormat, parseListingFormat, printListing } from '../output/print.ts';

interface BuildsFlags {
  readonly quiet?: boolean;
  readonly json?: boolean;
  readonly format?: string;
}

/** `caisson builds` */
export function buildsCommand({ terminal }: CommandContext): Command {
  return new Command('builds')
    .summary('list the last builds')
    .description('Lists the builds that the store knows, the newest first: the last 50.')
    .option('-q, --quiet', 'print nothing but ids')
    .option('--json', 'as --format json')
    .addOption(listingFormat())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['caisson builds'],
          ['caisson logs $(caisson builds -q | head -n 1)', 'what the steps of the last build wrote'],
          [`caisson builds --json | jq '.[] | select(.state == "failed").id'`],
        ],
      }),
    )
    .action(async (flags: BuildsFlags, self: Command) => {
      const format = parseListingFormat(flags.json === true ? 'json' : flags.format);
      const { listReports } = await import('@caisson/builder');
      const reports = await withStore(rootOf(self, terminal), listReports);
      if (flags.quiet === true) {
        for (const { id } of reports) terminal.out(`${id}\n`);
        return;
      }
      const now = Date.now();
      printListing(terminal, format, reports.map(rowOf), {
        headings: ['BUILD', 'STARTED', 'TOOK', 'RESULT', 'STEPS', 'WHAT'],
        row: ({ id, startedAt, duration, state, names, context, dockerfile, target, ...counts }) => [
          id,
          ago(startedAt, now),
          state === 'running' || state === 'killed' ? '-' : seconds(duration),
          state,
          countsText(counts),
          buildTitle({ names, context, dockerfile, target }),
        ],
      });
    });
}

/** A build as it is listed. */
interface BuildRow extends Omit<KeptReport, 'steps' | 'result'>, StepCounts {}

function rowOf({ steps, result: _result, ...report }: KeptReport): BuildRow {
  const count = (outcome: string): number => steps.filter((step) => step.outcome === outcome).length;
  return {
    ...report,
    cached: count('cached'),
    ran: count('ran'),
    failed: count('failed'),
    cancelled: count('cancelled'),
  };
}
