import { Command } from 'commander';
import type { NamedImage } from '@caisson/store';
import { helpNotes } from '../help-notes.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { withStore } from '../open-store.ts';
import { ago, size } from '../output/format.ts';
import { listingFormat, parseListingFormat, printListing } from '../output/print.ts';

interface HistoryRow {
  readonly created?: string;
  readonly createdBy: string;
  readonly comment: string;
  /** Of the layer as it lies in the store, in bytes; 0 where there is none. */
  readonly size: number;
}

const WIDTH = 60;

/** `caisson history` */
export function historyCommand({ terminal }: CommandContext): Command {
  return new Command('history')
    .summary('show how an image was made')
    .description('Shows the instructions that made an image, the last one first.')
    .argument('<image>', 'a name, an image id or the beginning of one')
    .option('--no-trunc', 'print whole instructions')
    .addOption(listingFormat())
    .addHelpText(
      'after',
      helpNotes({ examples: [['caisson history app'], ['caisson history --no-trunc --format json app']] }),
    )
    .action(
      async (image: string, flags: { readonly trunc: boolean; readonly format?: string }, self: Command) => {
        const format = parseListingFormat(flags.format);
        const found = await withStore(rootOf(self, terminal), (store) => store.images.find(image));
        const now = Date.now();
        const shown = (text: string): string =>
          flags.trunc && text.length > WIDTH ? `${text.slice(0, WIDTH - 3)}...` : text;
        printListing(terminal, format, historyOf(found), {
          isWhole: !flags.trunc,
          headings: ['CREATED', 'CREATED BY', 'SIZE', 'COMMENT'],
          row: (row) => [
            ago(row.created, now),
            shown(row.createdBy.replaceAll(/\s+/g, ' ')),
            size(row.size),
            row.comment,
          ],
        });
      },
    );
}

function historyOf({ config, manifest }: NamedImage): HistoryRow[] {
  let layer = 0;
  const rows = (config.history ?? []).map((entry) => {
    const bytes = entry.empty_layer === true ? 0 : (manifest.layers[layer]?.size ?? 0);
    if (entry.empty_layer !== true) layer++;
    return {
      ...(entry.created === undefined ? {} : { created: entry.created }),
      createdBy: entry.created_by ?? '',
      comment: entry.comment ?? '',
      size: bytes,
    };
  });
  return rows.toReversed();
}
