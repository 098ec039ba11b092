import { Command } from 'commander';
import { formatReference } from '@caisson/oci';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { warningText } from '../failure-text.ts';
import { parseName, shownName } from '../image-names.ts';
import { onInterrupt } from '../interrupt.ts';
import { withSession } from '../open-store.ts';
import { shortId, size } from '../output/format.ts';
import { oneOf } from '../parse-options.ts';
import { registryOptions } from '../registry-options.ts';

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
    .option('--compression <kind>', 'of layers: gzip, zstd or none (default: gzip)')
    .addHelpText(
      'after',
      `
Examples:
  caisson build -t registry.example.com/app:1.2 . && caisson push registry.example.com/app:1.2
  caisson tag app 127.0.0.1:5000/app && caisson push 127.0.0.1:5000/app

Prints the digest that the image has there. Credentials are those of "docker login".
`,
    )
    .action(async (name: string, flags: PushFlags, self: Command) => {
      const reference = parseName(name);
      const compression = oneOf('--compression', flags.compression ?? 'gzip', ['gzip', 'zstd', 'none']);
      using interrupt = onInterrupt();
      const { RegistryClient, pushImage } = await import('@caisson/registry');
      await withSession(rootOf(self, terminal), async (store, session) => {
        await using client = new RegistryClient({
          ...registryOptions([], terminal.env),
          onWarning: (message) => terminal.error(warningText({ message }, terminal.hasColor)),
        });
        const image = await store.images.find(formatReference(reference));
        const pushed = await pushImage(client, reference, image, {
          store,
          session,
          compression,
          signal: interrupt.signal,
          onTransfer: ({ digest, size: total, arrival }) => {
            if (flags.quiet === true) return;
            terminal.error(`${ARRIVALS[arrival]} ${shortId(digest)} (${size(total)})\n`);
          },
        });
        if (flags.quiet !== true) terminal.error(`pushed ${shownName(name)}\n`);
        terminal.out(`${pushed.digest}\n`);
      });
      finish(interrupt.exitCode ?? EXIT.ok);
    });
}

const ARRIVALS = { 'was-there': 'it has', mounted: 'mounted', sent: 'sent' } as const;
