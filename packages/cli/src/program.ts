import { Command, CommanderError } from 'commander';
import { EXIT } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';
import { buildCommand } from './commands/build.ts';
import { runCommand } from './commands/run.ts';
import type { CommandContext } from './command-context.ts';
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
  try {
    await makeProgram(context).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return unexpected(error, terminal);
  }
}

/** All commands and their flags. */
export function makeProgram(context: CommandContext): Command {
  const { terminal } = context;
  const program = new Command('caisson')
    .description('Builds container images from Dockerfiles: no daemon, from npm.')
    .option('--root <folder>', 'the folder of the store (CAISSON_ROOT)')
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.error })
    .showSuggestionAfterError()
    .enablePositionalOptions()
    .helpCommand('help [command]', 'show the help of a command');
  for (const make of [buildCommand, runCommand]) {
    const command = make(context);
    command.copyInheritedSettings(program);
    program.addCommand(command);
  }
  return program;
}
