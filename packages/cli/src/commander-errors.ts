import { suggest } from '@caisson/parser';
import type { Command, CommanderError } from 'commander';
import { UsageError } from './usage-error.ts';
import { insteadOfCommand, insteadOfFlag } from './words-of-docker.ts';

/** What commander has to say of a command line, in our words. */
export function usageErrorOf({ code, message }: CommanderError, command: Command): UsageError {
  const usage = usageOf(command);
  const quoted = /'(.*)'/s.exec(message)?.[1] ?? '';
  switch (code) {
    case 'commander.unknownOption':
      return unknownFlag(quoted, command);
    case 'commander.unknownCommand':
      return unknownCommand(quoted, command);
    case 'commander.missingArgument':
      return new UsageError(`${command.name()} needs the argument ${quoted}`, {
        expected: usage,
        ...(quoted === 'context' ? { hint: '. is the current folder' } : {}),
      });
    case 'commander.excessArguments': {
      const extra = command.args.slice(command.registeredArguments.length);
      const shown = extra.map((each) => JSON.stringify(each)).join(', ');
      return new UsageError(`too many arguments for ${command.name()}: ${shown}`, { expected: usage });
    }
    case 'commander.optionMissingArgument': {
      const option = command.options.find(({ flags }) => flags === quoted);
      return new UsageError(`${option?.long ?? quoted} needs a value`, { expected: quoted });
    }
    default:
      return new UsageError(message.replace(/^error: /, ''), { expected: usage });
  }
}

function unknownCommand(name: string, { commands }: Command): UsageError {
  const hint = insteadOfCommand(name);
  const names = commands.map((each) => each.name());
  const message = `there is no command ${JSON.stringify(name)}`;
  return new UsageError(message, hint === undefined ? nearest(name, names) : { hint });
}

function unknownFlag(written: string, command: Command): UsageError {
  // Of several short ones written as one word, commander tells what it did not take.
  if (written.startsWith('-='))
    return new UsageError(`a short flag takes no value: ${JSON.stringify(written.slice('-'.length))}`, {
      expected: 'nothing, =true or =false',
    });
  const [flag = ''] = /^-+[^=]+/.exec(written) ?? [written];
  const isLong = flag.startsWith('--');
  const name = flag.replace(/^-+/, '');
  const hint = insteadOfFlag(command.name(), flag);
  const known = command.options.find(({ long, short }) => flag === long || flag === short);
  if (known !== undefined)
    return new UsageError(`${flag} takes no value: ${JSON.stringify(written)}`, {
      expected: `${flag}, ${flag}=true or ${flag}=false`,
    });
  const names = [command, ...(command.parent === null ? [] : [command.parent])]
    .flatMap((each) => each.createHelp().visibleOptions(each))
    .flatMap(({ long }) => (long === undefined || long === null ? [] : [long.slice('--'.length)]));
  return new UsageError(`${command.name()} has no flag ${flag}`, {
    ...(hint === undefined ? (isLong ? nearest(name, names, '--') : {}) : { hint }),
  });
}

function nearest(word: string, known: readonly string[], before = ''): { readonly suggestion?: string } {
  const near = suggest(word, known);
  return near === undefined ? {} : { suggestion: `${before}${near}` };
}

/** How a command is called: `caisson build [options] <context>`. */
function usageOf(command: Command): string {
  return `${pathOf(command)} ${command.usage()}`;
}

/** The command line that says more of a command. */
export function helpOf(command: Command): string {
  return `${pathOf(command)} --help`;
}

/** `caisson store verify` */
function pathOf(command: Command): string {
  const { parent } = command;
  return parent === null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}
