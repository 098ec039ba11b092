import { Command, CommanderError, type Argument, type Option } from 'commander';
import { EXIT } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';
import { buildCommand } from './commands/build.ts';
import { buildsCommand } from './commands/builds.ts';
import { checkIgnoreCommand } from './commands/check-ignore.ts';
import { checkCommand } from './commands/check.ts';
import { doctorCommand } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import { planCommand } from './commands/plan.ts';
import { duCommand } from './commands/du.ts';
import { logsCommand } from './commands/logs.ts';
import { historyCommand } from './commands/history.ts';
import { imagesCommand } from './commands/images.ts';
import { inspectCommand } from './commands/inspect.ts';
import { pruneCommand } from './commands/prune.ts';
import { pullCommand } from './commands/pull.ts';
import { pushCommand } from './commands/push.ts';
import { rmiCommand } from './commands/rmi.ts';
import { runCommand } from './commands/run.ts';
import { storeCommand } from './commands/store.ts';
import { tagCommand } from './commands/tag.ts';
import { unshareCommand } from './commands/unshare.ts';
import { versionCommand } from './commands/version.ts';
import { watchCommand } from './commands/watch.ts';
import { completeCommand, completionCommand } from './commands/completion.ts';
import type { CommandContext } from './command-context.ts';
import { withPlainSwitches } from './plain-switches.ts';
import { version } from './version.ts';
import { helpItem, LEAST_WRAPPED } from './help-item.ts';
import { WIDTH } from './help-notes.ts';
import { helpOf, usageErrorOf } from './commander-errors.ts';
import { unexpected } from './unexpected.ts';

/** Runs one command line. @returns the exit code */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = EXIT.ok;
  const context: CommandContext = {
    terminal,
    finish: (code) => {
      exitCode = code;
    },
  };
  const program = makeProgram(context);
  let command = program;
  for (const above of [program, ...program.commands])
    above.hook('preSubcommand', (_above, called) => {
      command = called;
    });
  try {
    checkHelpTopic(args, program);
    const words = isHelpOfHelp(args) ? ['--help'] : withPlainSwitches(args, program);
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return unexpected(error, terminal, helpOf(command));
    if (SHOWN.has(error.code)) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return unexpected(usageErrorOf(error, command), terminal, helpOf(command));
  }
}

/** `help bild`: commander would show the help of everything. @throws CommanderError as for an unknown command */
function checkHelpTopic([first, topic]: readonly string[], { commands }: Command): void {
  if (first !== 'help' || topic === undefined || topic.startsWith('-')) return;
  if (topic === 'help' || commands.some((command) => command.name() === topic)) return;
  throw new CommanderError(EXIT.usage, 'commander.unknownCommand', `error: unknown command '${topic}'`);
}

/** `help --help`: commander takes that for a mistake. */
function isHelpOfHelp([first, ...rest]: readonly string[]): boolean {
  return first === 'help' && rest.length > 0 && rest.every((arg) => ['help', '--help', '-h'].includes(arg));
}

/** What commander calls it when it has shown help or the version: that was all. */
const SHOWN: ReadonlySet<string> = new Set([
  'commander.help',
  'commander.helpDisplayed',
  'commander.version',
]);

/** Descriptions name choices themselves; that a list is empty unless something is given goes without saying. */
function describe({ description, defaultValue }: Option | Argument): string {
  return typeof defaultValue === 'string' ? `${description} (default: ${defaultValue})` : description;
}

/** In the order in which help lists them. */
const COMMANDS = [
  buildCommand,
  watchCommand,
  checkIgnoreCommand,
  checkCommand,
  planCommand,
  explainCommand,
  buildsCommand,
  logsCommand,
  runCommand,
  imagesCommand,
  tagCommand,
  rmiCommand,
  inspectCommand,
  historyCommand,
  pullCommand,
  pushCommand,
  pruneCommand,
  duCommand,
  storeCommand,
  doctorCommand,
  completionCommand,
  unshareCommand,
  versionCommand,
];

/** All commands and their flags. */
export function makeProgram(context: CommandContext): Command {
  const { terminal } = context;
  const program = new Command('caisson')
    .description('Builds container images from Dockerfiles: no daemon, from npm.')
    .option(...ROOT)
    .version(`caisson ${version}`, '-v, --version', 'the version')
    .exitOverride()
    .configureHelp({
      optionDescription: describe,
      argumentDescription: describe,
      minWidthToWrap: LEAST_WRAPPED,
      formatItem: helpItem,
    })
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.error,
      outputError: () => {},
      getOutHelpWidth: () => helpWidth(terminal, process.stdout),
      getErrHelpWidth: () => helpWidth(terminal, process.stderr),
    })
    .showSuggestionAfterError(false)
    .enablePositionalOptions()
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command');
  for (const make of COMMANDS) {
    const command = make(context);
    program.addCommand(command);
    adopt(command, program);
  }
  return program.addCommand(completeCommand(context), { hidden: true });
}

/** What COLUMNS says, or the terminal. */
function helpWidth({ env }: Terminal, { columns }: NodeJS.WriteStream): number {
  const wanted = Number(env['COLUMNS']);
  return wanted > 0 ? wanted : columns || WIDTH;
}

const ROOT = ['--root <folder>', 'the folder of the store (CAISSON_ROOT)'] as const;

/** Gives a command, and those below it, what all of them have: what goes before a command may stand behind it as well. */
function adopt(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  command
    .optionsGroup('Global options:')
    .option(...ROOT)
    .helpOption('-h, --help', 'show this help');
  for (const each of command.commands) adopt(each, command);
}
