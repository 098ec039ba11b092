import { Command } from 'commander';
import { hostPlatform, formatPlatform } from '@caisson/oci';
import type { CommandContext } from '../command-context.ts';
import { FORMAT_FLAG, printJson } from '../output/print.ts';
import { oneOf } from '../parse-options.ts';
import { version } from '../version.ts';

/** `caisson version` */
export function versionCommand({ terminal }: CommandContext): Command {
  return new Command('version')
    .summary('show the version')
    .description('Shows the version of Caisson and of what it runs on.')
    .option(FORMAT_FLAG, 'text for people, json for programs')
    .addHelpText(
      'after',
      `
Examples:
  caisson version
  caisson --version        in one line
`,
    )
    .action((flags: { readonly format?: string }) => {
      const facts = { version, node: process.versions.node, platform: formatPlatform(hostPlatform()) };
      if (oneOf('--format', flags.format ?? 'text', ['text', 'json']) === 'json') printJson(terminal, facts);
      else terminal.out(`caisson ${facts.version}\nnode    ${facts.node}\nfor     ${facts.platform}\n`);
    });
}
