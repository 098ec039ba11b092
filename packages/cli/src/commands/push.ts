import { Command } from 'commander';
import { helpNotes } from '../help-notes.ts';
import { choiceOption } from '../choice-option.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { parseName } from '../image-names.ts';
import { onInterrupt, unlessInterrupted } from '../interrupt.ts';
import { COMPRESSIONS, parseCompression } from '../parse-compression.ts';
import { pushName } from '../push-name.ts';

interface PushFlags {
  readonly quiet?: boolean;
  readonly compression?: string;
}

/** `caisson push` */
export function pushCommand({ terminal, finish }: CommandContext): Command {
  return new Command('push')
    .summary('send an image to its registry')
    .description(
      'Sends an image to the registry that its name speaks of. What the registry has is not sent again.',
    )
    .argument('<name[:tag]>', 'the image')
    .option('-q, --quiet', 'print nothing but the digest')
    .addOption(
      choiceOption(
        '--compression <kind>',
        'of layers: gzip, zstd, none or uncompressed (default: gzip)',
        COMPRESSIONS,
      ),
    )
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['caisson build -t registry.example.com/app:1.2 . && caisson push registry.example.com/app:1.2'],
          ['caisson tag app 127.0.0.1:5000/app && caisson push 127.0.0.1:5000/app'],
        ],
        text: ['Prints the digest that the image has there. Credentials are those of "docker login".'],
      }),
    )
    .action(async (name: string, flags: PushFlags, self: Command) => {
      const reference = parseName(name);
      const compression = parseCompression('--compression', flags.compression ?? 'gzip');
      using interrupt = onInterrupt();
      const isQuiet = flags.quiet === true;
      const options = { compression, isQuiet, signal: interrupt.signal };
      const digest = await unlessInterrupted(interrupt, terminal, 'the push', () =>
        pushName(rootOf(self, terminal), reference, terminal, options),
      );
      if (digest !== undefined) terminal.out(`${digest}\n`);
      finish(interrupt.exitCode ?? EXIT.ok);
    });
}
