import { Command } from 'commander';
import type { Digest } from '@caisson/oci';
import type { NamedImage } from '@caisson/store';
import { helpNotes } from '../help-notes.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { nameColumns } from '../image-names.ts';
import { withStore } from '../open-store.ts';
import { ago, shortId, size } from '../output/format.ts';
import { listingFormat, parseListingFormat, printListing } from '../output/print.ts';

interface ImagesFlags {
  readonly quiet?: boolean;
  readonly format?: string;
  readonly trunc: boolean;
}

/** One name of an image; an image with several has several. */
interface ImageRow {
  readonly repository: string;
  readonly tag: string;
  readonly id: Digest;
  readonly created?: string;
  /** What its layers take as they lie in the store, in bytes. */
  readonly size: number;
}

/** `caisson images` */
export function imagesCommand({ terminal }: CommandContext): Command {
  return new Command('images')
    .summary('list the images of the store')
    .description('Lists the images of the store, the newest first.')
    .option('-q, --quiet', 'print nothing but image ids')
    .option('--no-trunc', 'print whole ids')
    .addOption(listingFormat())
    .addHelpText(
      'after',
      helpNotes({ examples: [['caisson images'], ["caisson images --format json | jq '.[].id'"]] }),
    )
    .action(async (flags: ImagesFlags, self: Command) => {
      const format = parseListingFormat(flags.format);
      const images = await withStore(rootOf(self, terminal), (store) => store.images.list());
      const rows = images.flatMap(rowsOf).toSorted(newestFirst);
      const shown = (id: Digest): string => (flags.trunc ? shortId(id) : id);
      if (flags.quiet === true) {
        for (const id of new Set(rows.map((row) => row.id))) terminal.out(`${shown(id)}\n`);
        return;
      }
      const now = Date.now();
      printListing(terminal, format, rows, {
        isWhole: !flags.trunc,
        headings: ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'],
        row: (row) => [row.repository, row.tag, shown(row.id), ago(row.created, now), size(row.size)],
      });
    });
}

function rowsOf({ id, names, config, manifest }: NamedImage): ImageRow[] {
  const bytes = manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
  return (names.length === 0 ? [undefined] : names).map((name) => {
    const [repository, tag] = nameColumns(name);
    const created = config.created === undefined ? {} : { created: config.created };
    return { repository, tag, id, ...created, size: bytes };
  });
}

function newestFirst(a: ImageRow, b: ImageRow): number {
  return (b.created ?? '').localeCompare(a.created ?? '');
}
