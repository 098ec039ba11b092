import { Command } from 'commander';
import { familiarName, hostPlatform, type Digest, type Platform, type Reference } from '@caisson/oci';
import { helpNotes } from '../help-notes.ts';
import { checkIds } from '../rootless/enter-namespace.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { parseName } from '../image-names.ts';
import { onInterrupt, unlessInterrupted } from '../interrupt.ts';
import { openTransferView } from '../output/transfer-view.ts';
import { collect, parsePlatformOption } from '../parse-options.ts';
import { MIRROR_FLAG, MIRROR_HELP, registryOptions } from '../registry-options.ts';
import type { Terminal } from '../terminal.ts';
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
      helpNotes({
        examples: [
          ['caisson pull debian:bookworm-slim'],
          ['caisson pull --registry-mirror docker.io=http://127.0.0.1:5000 alpine'],
        ],
        text: [
          'Credentials are those of "docker login" ($DOCKER_CONFIG/config.json); mirrors and insecure registries are read from containers\' registries.conf.',
        ],
      }),
    )
    .action(async (name: string, flags: PullFlags, self: Command) => {
      const reference = parseName(name);
      const platform =
        parsePlatformOption(flags.platform ?? terminal.env['DOCKER_DEFAULT_PLATFORM']) ?? hostPlatform();
      using interrupt = onInterrupt();
      const { signal } = interrupt;
      const id = await unlessInterrupted(interrupt, terminal, 'the pull', () =>
        pull(reference, { root: rootOf(self, terminal), platform, signal, flags }, terminal),
      );
      if (id !== undefined) terminal.out(`${id}\n`);
      finish(interrupt.exitCode ?? EXIT.ok);
    });
}

interface PullOptions {
  readonly root: string;
  readonly platform: Platform;
  readonly signal: AbortSignal;
  readonly flags: PullFlags;
}

/** Fetches an image, and tells of it. @returns its id */
async function pull(
  reference: Reference,
  { root, platform, signal, flags }: PullOptions,
  terminal: Terminal,
): Promise<Digest> {
  checkIds();
  const { pull: pullImage } = await import('@caisson/builder');
  const name = familiarName(reference);
  using view = await openTransferView({ way: 'down', name }, terminal, flags.quiet === true);
  const registry = registryOptions(flags.registryMirror, terminal.env);
  const image = await pullImage({ root, name, platform, registry, signal }, (event) => {
    if (event.kind === 'warning') view.tell(warningText(event, terminal.hasColor));
    else view.note(event);
  });
  view.complete(image.tagDigest);
  return image.id;
}
