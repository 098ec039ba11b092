import { Command } from 'commander';
import { removeImage, StoreError, type RemovedImage } from '@caisson/store';
import { helpNotes } from '../help-notes.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { failureText } from '../failure-text.ts';
import { shownName } from '../image-names.ts';
import { withSession } from '../open-store.ts';

/** `caisson rmi` */
export function rmiCommand({ terminal, finish }: CommandContext): Command {
  return new Command('rmi')
    .summary('remove images')
    .description(
      'Takes names away from images, and removes images that have no other. Their layers stay as cache: prune frees the disk.',
    )
    .argument('<image...>', 'names, image ids or beginnings of ids')
    .option(
      '-f, --force',
      'remove an image with all its names when its id is given; be content if there is none',
    )
    .addHelpText(
      'after',
      helpNotes({ examples: [['caisson rmi app:old'], ['caisson rmi -f $(caisson images -q)']] }),
    )
    .action(async (images: readonly string[], flags: { readonly force?: boolean }, self: Command) => {
      await withSession(rootOf(self, terminal), async (store, session) => {
        for (const image of images) {
          try {
            const removed = await removeImage(store, session, image, flags.force === true);
            for (const line of linesOf(removed)) terminal.out(`${line}\n`);
          } catch (error) {
            if (!(error instanceof StoreError)) throw error;
            if (flags.force === true && error.code === 'no-such-image') continue;
            const { code, message, hint } = error;
            const telling = { code, message, ...(hint === undefined ? {} : { hint }) };
            terminal.error(failureText(telling, terminal.hasColor));
            finish(EXIT.failed);
          }
        }
      });
    });
}

/** What was done, line by line, as docker says it. */
function linesOf({ names, id }: RemovedImage): string[] {
  const untagged = names.map((name) => `Untagged: ${shownName(name)}`);
  return id === undefined ? untagged : [...untagged, `Deleted: ${id}`];
}
