import { Command } from 'commander';
import { hostPlatform } from '@caisson/oci';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { parseName, shownName } from '../image-names.ts';
import { onInterrupt } from '../interrupt.ts';
import { withSession } from '../open-store.ts';
import { shortId, size } from '../output/format.ts';
import { collect, parsePlatformOption } from '../parse-options.ts';
import { MIRROR_FLAG, MIRROR_HELP, registryOptions } from '../registry-options.ts';
import { warningText } from '../failure-text.ts';

interface PullFlags {
  readonly platform?: string;
  readonly quiet?: boolean;
  readonly registryMirror: readonly string[];
}

/** `caisson pull` */
export function pullCommand({ terminal, finish }: CommandContext): Command {
  return new Command('pull')
    .summary('fetch an image from its registry')
    .description('Fetches an image from its registry into the store, under its name.')
    .argument('<name[:tag][@digest]>', 'the image')
    .option(
      '--platform <platform>',
      'which of its images, for example linux/arm64 (default: this machine; DOCKER_DEFAULT_PLATFORM)',
    )
    .option('-q, --quiet', 'print nothing but the image id')
    .option(MIRROR_FLAG, MIRROR_HELP, collect, [])
    .addHelpText(
      'after',
      `
Examples:
  caisson pull debian:bookworm-slim
  caisson pull --registry-mirror docker.io=http://127.0.0.1:5000 alpine

Credentials are those of "docker login" ($DOCKER_CONFIG/config.json); mirrors and insecure registries are read from
containers' registries.conf.
`,
    )
    .action(async (name: string, flags: PullFlags, self: Command) => {
      const reference = parseName(name);
      const wanted = parsePlatformOption(flags.platform ?? terminal.env['DOCKER_DEFAULT_PLATFORM']);
      using interrupt = onInterrupt();
      const { RegistryClient, pullImage } = await import('@caisson/registry');
      await withSession(rootOf(self, terminal), async (store, session) => {
        await using client = new RegistryClient({
          ...registryOptions(flags.registryMirror, terminal.env),
          onWarning: (message) => terminal.error(warningText({ message }, terminal.hasColor)),
        });
        const image = await pullImage(client, reference, {
          store,
          session,
          platform: wanted ?? hostPlatform(),
          signal: interrupt.signal,
          onTransfer: ({ digest, done, size: total, wasThere }) => {
            if (flags.quiet === true || done < total) return;
            terminal.error(`${wasThere ? 'has' : 'pulled'} ${shortId(digest)} (${size(total)})\n`);
          },
        });
        const id = image.manifest.config.digest;
        if (flags.quiet !== true) terminal.error(`pulled ${shownName(name)}@${image.tagDigest}\n`);
        terminal.out(`${id}\n`);
      });
      finish(interrupt.exitCode ?? EXIT.ok);
    });
}
