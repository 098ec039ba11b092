import { Command } from 'commander';
import { rootOf, type CommandContext } from '../command-context.ts';
import { withSession } from '../open-store.ts';
import { size } from '../output/format.ts';
import { FORMAT_FLAG, printJson } from '../output/print.ts';
import { oneOf, parseDuration } from '../parse-options.ts';

interface PruneFlags {
  readonly olderThan?: string;
  readonly dryRun?: boolean;
  readonly format?: string;
}

/** `caisson prune` */
export function pruneCommand({ terminal }: CommandContext): Command {
  return new Command('prune')
    .summary('remove what no named image needs')
    .description(
      'Removes images without a name, and the cache: results of steps, base images, trees. What running builds use stays.',
    )
    .option('--older-than <duration>', 'only what was not used for this long: 30m, 24h, 7d')
    .option('--dry-run', 'only say what would be removed')
    .option('-f, --force', 'for scripts written for docker: nothing is asked anyway')
    .option(FORMAT_FLAG, 'text for people, json for programs')
    .addHelpText(
      'after',
      `
Examples:
  caisson prune --dry-run
  caisson prune --older-than 7d
`,
    )
    .action(async (flags: PruneFlags, self: Command) => {
      const format = oneOf('--format', flags.format ?? 'text', ['text', 'json']);
      const unusedFor =
        flags.olderThan === undefined ? undefined : parseDuration('--older-than', flags.olderThan);
      const { prune } = await import('@caisson/store');
      const gone = await withSession(rootOf(self, terminal), (store, session) =>
        prune(store, session, {
          isDryRun: flags.dryRun === true,
          ...(unusedFor === undefined ? {} : { unusedFor }),
        }),
      );
      if (format === 'json') return printJson(terminal, gone);
      const verb = flags.dryRun === true ? 'would remove' : 'removed';
      return terminal.out(
        `${verb} ${gone.images.length} unnamed images, ${gone.records} step results, ${gone.bases} base images, ${gone.trees} trees, ${gone.cacheMounts} cache mounts and ${gone.blobs} blobs: ${size(gone.bytes)}\n`,
      );
    });
}
