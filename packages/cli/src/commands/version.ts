import { Command } from 'commander';
import { hostPlatform, formatPlatform } from '@caisson/oci';
import { helpNotes } from '../help-notes.ts';
import type { CommandContext } from '../command-context.ts';
import { parseTextFormat, printJson, textFormat } from '../output/print.ts';
import { version } from '../version.ts';

/** `caisson version` */
export function versionCommand({ terminal }: CommandContext): Command {
  return new Command('version')
    .summary('show the version')
    .description('Shows the version of Caisson and of what it runs on.')
    .addOption(textFormat())
    .addHelpText(
      'after',
      helpNotes({ examples: [['caisson version'], ['caisson --version', 'in one line']] }),
    )
    .action((flags: { readonly format?: string }) => {
      const facts = { version, node: process.versions.node, platform: formatPlatform(hostPlatform()) };
      if (parseTextFormat(flags.format) === 'json') printJson(terminal, facts);
      else terminal.out(`caisson ${facts.version}\nnode    ${facts.node}\nfor     ${facts.platform}\n`);
    });
}
