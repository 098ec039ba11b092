import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Failure, RunRequest } from '@caisson/builder';
import { helpNotes } from '../help-notes.ts';
import { checkIds } from '../rootless/enter-namespace.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { buildFailureText } from '../failure-text.ts';
import { flagOrVariable } from '../flag-or-variable.ts';
import { shownName } from '../image-names.ts';
import { PullOnTheWay } from '../output/pull-on-the-way.ts';
import { choiceOption } from '../choice-option.ts';
import {
  collect,
  formsOption,
  minIsolationOption,
  oneOf,
  parseEnv,
  parseForms,
  parseMinIsolation,
  parseRuntimes,
  PULL_CHOICES,
  RUNTIME_CHOICES,
} from '../parse-options.ts';
import { UsageError } from '../usage-error.ts';
import { parseVolume } from '../parse-volume.ts';
import { passSignals } from '../pass-signals.ts';
import { MIRROR_FLAG, MIRROR_HELP, registryOptions } from '../registry-options.ts';
import type { Terminal } from '../terminal.ts';
import { tryFiles } from '../try-files.ts';

/** The flags of `caisson run`, as they were given. */
export interface RunFlags {
  readonly env: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly volume: readonly string[];
  readonly interactive?: boolean;
  readonly tty?: boolean;
  readonly entrypoint?: string;
  readonly network?: string;
  readonly runtime?: string;
  readonly minIsolation?: string;
  readonly forms?: string;
  readonly pull?: string;
  readonly registryMirror: readonly string[];
}

/** `caisson run` */
export function runCommand({ terminal, finish }: CommandContext): Command {
  const named = new Command('run')
    .summary('run a command in an image, in the foreground')
    .description(
      'Runs a command in an image, in the foreground, in a sandbox like that of RUN steps. Nothing of what it changes is kept.',
    )
    .argument('<image>', 'a name, an image id or the beginning of one; an image that is missing is pulled')
    .argument('[command...]', "in place of the image's command");
  return addRunOptions(named)
    .passThroughOptions()
    .addHelpText('after', EXAMPLES)
    .action(async (image: string, command: readonly string[], flags: RunFlags, self: Command) => {
      finish(await run(runRequestOf(image, command, flags, rootOf(self, terminal), terminal), terminal));
    });
}

const NETWORKS = ['host', 'none'] as const;

/** Adds the flags of `caisson run`. */
export function addRunOptions(command: Command): Command {
  return command
    .option('--rm', 'remove the container when it ends (always so)')
    .option(
      '-e, --env <name=value>',
      'a variable of the environment; a name alone takes it from here',
      collect,
      [],
    )
    .option('-w, --workdir <workdir>', 'the working folder')
    .option('-u, --user <user[:group]>', 'who runs the command: names or numbers')
    .option('-v, --volume <source:target[:ro]>', 'shows a folder or file of the host', collect, [])
    .option('-i, --interactive', 'keep the standard input open')
    .option('-t, --tty', 'give the command a terminal')
    .option('--entrypoint <program>', "in place of the image's entry point")
    .addOption(choiceOption('--network <mode>', 'host or none (default: host)', NETWORKS))
    .addOption(
      choiceOption(
        '--pull <when>',
        'when to ask the registry for the image: always, missing or never (default: missing)',
        PULL_CHOICES,
      ),
    )
    .addOption(
      choiceOption(
        '--runtime <names>',
        'what runs it: crun, runc, namespaces, chroot, or some of them (CAISSON_RUNTIME)',
        RUNTIME_CHOICES,
      ),
    )
    .addOption(minIsolationOption('it'))
    .addOption(formsOption())
    .option(MIRROR_FLAG, MIRROR_HELP, collect, []);
}

const EXAMPLES = helpNotes({
  examples: [
    ['caisson run app', 'what the image runs'],
    ['caisson run -it debian bash', 'a shell'],
    ['caisson run -v .:/src -w /src node npm test', 'with this folder'],
    ['caisson run --entrypoint id -u 1000 app', 'another program as another user'],
  ],
  text: [
    'Exit code: that of the command; 125 if nothing could be run, 126 if the command is no program, 127 if there is none.',
  ],
});

async function run(request: RunRequest, terminal: Terminal): Promise<number> {
  checkIds();
  const { makeFolders, runImage } = await import('@caisson/builder');
  // As with docker: a folder that is to be shown and is missing is made.
  for (const { source } of request.binds ?? []) {
    if (existsSync(source)) continue;
    const failure = { code: 'invalid-request', message: 'cannot make the folder of a volume' } as const;
    if (!(await tryFiles(() => makeFolders(source), failure, terminal))) return EXIT.notRun;
  }
  using signals = passSignals();
  using pull = new PullOnTheWay(shownName(request.image), terminal);
  const shown = { ...request, onTransfer: pull.note, onPulled: pull.complete };
  const ended = await runImage({ ...shown, signal: signals.kill }, (pass) => signals.to(pass));
  pull[Symbol.dispose]();
  if (ended.ok) return ended.value;
  if (signals.exitCode !== undefined) return signals.exitCode;
  return failedToRun(ended.error, terminal);
}

/** Says why an image could not be run. @returns the exit code that says it, too */
export function failedToRun(failures: readonly Failure[], terminal: Terminal): number {
  for (const failure of failures) terminal.error(buildFailureText(failure, terminal.hasColor));
  const codes = new Set(failures.map(({ code }) => code));
  if (codes.has('no-such-command')) return EXIT.notFound;
  return codes.has('not-executable') ? EXIT.notExecutable : EXIT.notRun;
}

/** What a command line asks to be run. @throws UsageError */
export function runRequestOf(
  image: string,
  command: readonly string[],
  flags: RunFlags,
  root: string,
  terminal: Terminal,
): RunRequest {
  const { env, cwd } = terminal;
  // As with docker: -t alone is for the looks, and scripts give it anywhere.
  if (flags.tty === true && flags.interactive === true && !terminal.isInteractive) {
    throw new UsageError('-it: the standard input is no terminal', { hint: '-i alone passes the input on' });
  }
  const runtimes = parseRuntimes(flagOrVariable('--runtime', flags.runtime, 'CAISSON_RUNTIME', terminal));
  const minIsolation = parseMinIsolation(
    flagOrVariable('--min-isolation', flags.minIsolation, 'CAISSON_MIN_ISOLATION', terminal),
  );
  const binds = flags.volume.map((text) => parseVolume(text, cwd));
  return {
    root,
    image,
    command,
    binds,
    env: parseEnv(flags.env, env),
    forms: parseForms(flagOrVariable('--forms', flags.forms, 'CAISSON_FORMS', terminal)),
    pull: oneOf('--pull', flags.pull ?? 'missing', PULL_CHOICES),
    registry: registryOptions(flags.registryMirror, env),
    isInteractive: flags.interactive === true,
    hasTerminal: flags.tty === true && terminal.isInteractive,
    ...(flags.entrypoint === undefined
      ? {}
      : { entrypoint: flags.entrypoint === '' ? [] : [flags.entrypoint] }),
    ...(flags.workdir === undefined ? {} : { cwd: resolve('/', flags.workdir) }),
    ...(flags.user === undefined ? {} : { user: flags.user }),
    ...(flags.network === undefined ? {} : { network: oneOf('--network', flags.network, NETWORKS) }),
    ...(runtimes === undefined ? {} : { runtimes }),
    ...(minIsolation === undefined ? {} : { minIsolation }),
  };
}
