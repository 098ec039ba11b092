import { Command } from 'commander';
import type { KeptSpace, Pruned } from '@caisson/store';
import { helpNotes } from '../help-notes.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { withSession } from '../open-store.ts';
import { counted, size } from '../output/format.ts';
import { parseTextFormat, printJson, textFormat } from '../output/print.ts';
import { parseBytes } from '../parse-limits.ts';
import { collect, parseDuration } from '../parse-options.ts';
import { parsePruneFilters, type PruneFilter } from '../prune-filter.ts';
import { UsageError } from '../usage-error.ts';

interface PruneFlags {
  readonly filter: readonly string[];
  readonly olderThan?: string;
  readonly keepStorage?: string;
  readonly reservedSpace?: string;
  readonly maxUsedSpace?: string;
  readonly minFreeSpace?: string;
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
    .option('-a, --all', 'for scripts written for docker: all that no named image needs goes anyway')
    .option(
      '--filter <filter>',
      'only what fits: until=24h, type=step, id=HEX, inuse=false; may be given several times',
      collect,
      [],
    )
    .option('--older-than <duration>', 'only what was not used for this long: 30m, 24h, 7d')
    .option(
      '--keep-storage <size>',
      'so much may stay, what was used last; docker calls it --reserved-space too',
    )
    .option('--reserved-space <size>', 'as --keep-storage')
    .option('--max-used-space <size>', 'what the cache may take afterwards')
    .option('--min-free-space <size>', 'how much of the disk is to be free afterwards')
    .option('--dry-run', 'only say what would be removed')
    .option('-f, --force', 'for scripts written for docker: nothing is asked anyway')
    .addOption(textFormat())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['caisson prune --dry-run'],
          ['caisson prune --older-than 7d'],
          ['caisson prune --keep-storage 10g'],
          ['caisson prune --filter type=cache-mount'],
        ],
      }),
    )
    .action(async (flags: PruneFlags, self: Command) => {
      const format = parseTextFormat(flags.format);
      const filter = filterOf(flags);
      const keep = keptSpace(flags);
      const isDryRun = flags.dryRun === true;
      const { prune } = await import('@caisson/store');
      const gone = await withSession(rootOf(self, terminal), (store, session) =>
        prune(store, session, { isDryRun, ...filter, ...(keep === undefined ? {} : { keep }) }),
      );
      if (format === 'json') printJson(terminal, gone);
      else terminal.out(textOf(gone, isDryRun));
    });
}

function filterOf({ filter, olderThan }: PruneFlags): PruneFilter {
  const given = parsePruneFilters(filter);
  if (olderThan === undefined) return given;
  if (given.unusedFor !== undefined) throw new UsageError('--older-than and --filter until are the same');
  return { ...given, unusedFor: parseDuration('--older-than', olderThan) };
}

function keptSpace(flags: PruneFlags): KeptSpace | undefined {
  const { keepStorage, reservedSpace = keepStorage, maxUsedSpace, minFreeSpace } = flags;
  if (keepStorage !== undefined && flags.reservedSpace !== undefined)
    throw new UsageError('--keep-storage and --reserved-space are the same');
  if (reservedSpace === undefined && maxUsedSpace === undefined && minFreeSpace === undefined)
    return undefined;
  const flag = keepStorage === undefined ? '--reserved-space' : '--keep-storage';
  return {
    ...(reservedSpace === undefined ? {} : { reserved: parseBytes(flag, reservedSpace) }),
    ...(maxUsedSpace === undefined ? {} : { maxUsed: parseBytes('--max-used-space', maxUsedSpace) }),
    ...(minFreeSpace === undefined ? {} : { minFree: parseBytes('--min-free-space', minFreeSpace) }),
  };
}

function textOf(gone: Pruned, isDryRun: boolean): string {
  const { images, steps, bases, trees, maps, tars, cacheMounts, logs, blobs, bytes, left } = gone;
  const kinds: readonly [count: number, thing: string][] = [
    [images.length, 'unnamed image'],
    [steps, 'step result'],
    [bases, 'base image'],
    [trees, 'tree'],
    [maps, 'map'],
    [tars, 'unpacked layer'],
    [cacheMounts, 'cache mount'],
    [blobs, 'blob'],
    [logs, 'build log'],
  ];
  const parts = kinds.flatMap(([count, thing]) => (count === 0 ? [] : [counted(count, thing)]));
  const what = parts.length === 0 ? 'nothing' : `${parts.join(', ')}: ${size(bytes)}`;
  const [goes, takes] = isDryRun ? ['would remove', 'would take'] : ['removed', 'takes'];
  return `${goes} ${what}; the cache ${takes} ${size(left)}\n`;
}
