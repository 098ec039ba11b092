import { Command } from 'commander';
import { helpNotes } from '../help-notes.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { parseName } from '../image-names.ts';
import { withSession } from '../open-store.ts';
import { UsageError } from '../usage-error.ts';

/** `caisson tag` */
export function tagCommand({ terminal }: CommandContext): Command {
  return new Command('tag')
    .summary('give an image another name')
    .description('Gives an image another name. An image that has the name now loses it.')
    .argument('<image>', 'a name, an image id or the beginning of one')
    .argument('<name[:tag]>', 'the new name')
    .addHelpText('after', helpNotes({ examples: [['caisson tag app registry.example.com/team/app:1.2']] }))
    .action(async (image: string, name: string, _flags: unknown, self: Command) => {
      const reference = parseName(name);
      if (reference.digest !== undefined)
        throw new UsageError(`${name} has a digest`, { expected: 'NAME[:TAG]' });
      const { nameImage } = await import('@caisson/store');
      await withSession(rootOf(self, terminal), (...opened) => nameImage(...opened, image, reference));
    });
}
