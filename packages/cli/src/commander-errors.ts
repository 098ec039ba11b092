import { suggest } from '@caisson/parser';
import type { Command, CommanderError } from 'commander';
import { UsageError } from './usage-error.ts';

/** Flags of `docker build` that there is no use for here, and what to do instead. */
const FLAGS_OF_DOCKER: Readonly<Record<string, string>> = {
  attest: 'no attestations are made: leave it out',
  builder: 'there are no builders: the build runs here',
  'cgroup-parent': '--memory and --cpus limit what a step may use',
  compress: 'a context is not sent anywhere: leave it out',
  'cpu-period': '--cpus limits how many processors a step may use',
  'cpu-quota': '--cpus limits how many processors a step may use',
  'cpu-shares': '--cpus limits how many processors a step may use',
  'force-rm': 'nothing is left of a step that failed: leave it out',
  isolation: '--runtime says what runs steps',
  'memory-swap': '--memory limits what a step may use, without swap',
  provenance: 'no attestations are made: leave it out',
  rm: 'nothing is left of a step: leave it out',
  sbom: 'no attestations are made: leave it out',
  squash:
    'a last stage "FROM scratch" with "COPY --from=STAGE / /" has one layer; -o FOLDER writes the files alone',
};

/** What commander has to say of a command line, in our words. */
export function usageErrorOf({ code, message }: CommanderError, command: Command): UsageError {
  const usage = usageOf(command);
  const quoted = /'(.*)'/s.exec(message)?.[1] ?? '';
  switch (code) {
    case 'commander.unknownOption':
      return unknownFlag(quoted, command);
    case 'commander.unknownCommand':
      return new UsageError(`there is no command ${JSON.stringify(quoted)}`, {
        ...nearest(
          quoted,
          command.commands.map((each) => each.name()),
        ),
      });
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

function unknownFlag(written: string, command: Command): UsageError {
  // Of several short ones written as one word, commander tells what it did not take.
  if (written.startsWith('-='))
    return new UsageError(`a short flag takes no value: ${JSON.stringify(written.slice('-'.length))}`, {
      expected: 'nothing, =true or =false',
    });
  const [flag = ''] = /^-+[^=]+/.exec(written) ?? [written];
  const isLong = flag.startsWith('--');
  const name = flag.replace(/^-+/, '');
  const hint = command.name() === 'build' && isLong ? FLAGS_OF_DOCKER[name] : undefined;
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
