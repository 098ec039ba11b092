import { Command } from 'commander';
import type { NamedImage } from '@caisson/store';
import { helpNotes } from '../help-notes.ts';
import { choiceOption } from '../choice-option.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { shownName } from '../image-names.ts';
import { withStore } from '../open-store.ts';
import { oneOf } from '../parse-options.ts';
import { printJson } from '../output/print.ts';

const FORMATS = ['json'] as const;

/** `caisson inspect` */
export function inspectCommand({ terminal }: CommandContext): Command {
  return new Command('inspect')
    .summary('show all of an image, as JSON')
    .description('Shows all that is known of images, as a JSON array with the names that docker uses.')
    .argument('<image...>', 'names, image ids or beginnings of ids')
    .addOption(choiceOption('--format <kind>', 'json (the only one)', FORMATS))
    .addHelpText(
      'after',
      helpNotes({ examples: [['caisson inspect app'], ["caisson inspect app | jq '.[0].Config.Env'"]] }),
    )
    .action(async (images: readonly string[], { format }: { readonly format?: string }, self: Command) => {
      oneOf('--format', format ?? 'json', FORMATS);
      const found = await withStore(rootOf(self, terminal), (store) =>
        Promise.all(images.map((image) => store.images.find(image))),
      );
      printJson(terminal, found.map(inspected));
    });
}

function inspected({ id, names, descriptor, manifest, config }: NamedImage): object {
  return {
    Id: id,
    RepoTags: names.filter((name) => !name.includes('@')).map(shownName),
    RepoDigests: names.filter((name) => name.includes('@')).map(shownName),
    Created: config.created,
    Author: config.author,
    Architecture: config.architecture,
    Variant: config.variant,
    Os: config.os,
    Size: manifest.layers.reduce((sum, { size }) => sum + size, 0),
    Config: config.config ?? {},
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Descriptor: descriptor,
    Manifest: manifest,
  };
}
