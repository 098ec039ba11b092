import { Command } from 'commander';
import type { CheckRequest } from '@caisson/builder';
import { helpNotes } from '../help-notes.ts';
import type { BuildSource } from '../build-request.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { parseTextFormat, textFormat } from '../output/print.ts';
import {
  collect,
  pullOption,
  parseBuildArgs,
  parseBuildContexts,
  parsePlatforms,
  parsePull,
  parseSourceDateEpoch,
} from '../parse-options.ts';
import { MIRROR_FLAG, MIRROR_HELP, registryOptions } from '../registry-options.ts';
import { showCheck } from '../show-check.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { sourceOf } from '../full-request.ts';

interface CheckFlags {
  readonly file?: string;
  readonly target?: string;
  readonly buildArg: readonly string[];
  readonly buildContext: readonly string[];
  readonly platform: readonly string[];
  readonly pull?: string | boolean;
  readonly format?: string;
  readonly registryMirror: readonly string[];
}

/** `caisson check` */
export function checkCommand({ terminal, finish }: CommandContext): Command {
  return new Command('check')
    .summary('look for mistakes in a Dockerfile, without building it')
    .description(
      'Checks a Dockerfile: its errors, and the rules that docker build --check has. Nothing is built; of base images, only their configs are looked at.',
    )
    .argument('[context]', 'the build context, as for build; - for the standard input', '.')
    .option(
      '-f, --file <path>',
      'the Dockerfile (default: Dockerfile in the context); - for the standard input',
    )
    .option('--target <stage>', 'the stage that would be built (default: all of them are checked)')
    .option(
      '--build-arg <name=value>',
      'a value for an ARG; a name alone takes it from the environment',
      collect,
      [],
    )
    .option('--build-context <name=value>', 'a further context, as for build', collect, [])
    .option(
      '--platform <platform>',
      'what would be built for: linux/arm64; or several of them (DOCKER_DEFAULT_PLATFORM)',
      collect,
      [],
    )
    .addOption(pullOption())
    .addOption(textFormat(', as docker build --call=check has it'))
    .option(MIRROR_FLAG, MIRROR_HELP, collect, [])
    .addHelpText('after', EXAMPLES)
    .action(async (context: string, flags: CheckFlags, self: Command) => {
      const format = parseTextFormat(flags.format);
      if (context === '-' && flags.file === '-')
        throw new UsageError('the Dockerfile and the context cannot both come on the standard input');
      const request = requestOf(flags, rootOf(self, terminal), terminal);
      finish(await showCheck({ ...request, ...(await sourceOf(context, flags)) }, format, terminal));
    });
}

const EXAMPLES = helpNotes({
  examples: [
    ['caisson check', 'the Dockerfile of this folder'],
    ['caisson check -f docker/Dockerfile --target test .'],
    ["caisson check --format json | jq '.warnings[].ruleName'"],
  ],
  text: [
    'In a Dockerfile, "# check=skip=RULE,RULE" at its top skips rules, "# check=skip=RULE" above an instruction skips them there, and "# check=error=true" makes builds fail at warnings. docs/rules has a page for every rule.',
    'Exit codes: 0 nothing found; 1 warnings, errors, or a base image that could not be looked at; 2 wrong usage.',
  ],
});

function requestOf(
  flags: CheckFlags,
  root: string,
  { env, cwd }: Terminal,
): Omit<CheckRequest, keyof BuildSource> {
  const sourceDateEpoch = parseSourceDateEpoch(env['SOURCE_DATE_EPOCH']);
  const platforms = parsePlatforms(flags.platform, env['DOCKER_DEFAULT_PLATFORM']);
  return {
    root,
    cwd,
    buildContexts: parseBuildContexts(flags.buildContext),
    buildArgs: parseBuildArgs(flags.buildArg, env),
    pull: parsePull(flags.pull),
    registry: registryOptions(flags.registryMirror, env),
    ...(flags.target === undefined ? {} : { target: flags.target }),
    ...(sourceDateEpoch === undefined ? {} : { sourceDateEpoch }),
    platforms,
  };
}
