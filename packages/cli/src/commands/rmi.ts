import { Command } from 'commander';
import { formatReference, parseReference } from '@caisson/oci';
import { StoreError, type NamedImage, type Session, type Store } from '@caisson/store';
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
      `
Examples:
  caisson rmi app:old
  caisson rmi -f $(caisson images -q)
`,
    )
    .action(async (images: readonly string[], flags: { readonly force?: boolean }, self: Command) => {
      await withSession(rootOf(self, terminal), async (store, session) => {
        for (const image of images) {
          try {
            for (const line of await removeImage(store, session, image, flags.force === true))
              terminal.out(`${line}\n`);
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

/** @returns what was done, line by line, as docker says it */
async function removeImage(
  store: Store,
  session: Session,
  text: string,
  isForced: boolean,
): Promise<string[]> {
  const image = await store.images.find(text);
  const going = namesToTake(image, text, isForced);
  if (going.length < image.names.length) {
    await store.images.removeNames(session, going);
    return going.map((name) => `Untagged: ${shownName(name)}`);
  }
  await store.images.remove(session, [image.descriptor.digest]);
  return [...going.map((name) => `Untagged: ${shownName(name)}`), `Deleted: ${image.id}`];
}

function namesToTake({ id, names }: NamedImage, text: string, isForced: boolean): readonly string[] {
  const reference = parseReference(text);
  const full = reference.ok ? formatReference(reference.value) : undefined;
  if (full !== undefined && names.includes(full)) return [full];
  if (names.length <= 1 || isForced) return names;
  throw new StoreError('image-in-use', `the image ${id} has ${names.length} names`, {
    hint: `give the one to take away, or --force: ${names.map(shownName).join(', ')}`,
  });
}
