import type { Command, Instruction } from '../ast.ts';
import type { Diagnostic } from '../diagnostic.ts';
import type { Flag } from '../flags.ts';
import type { Heredoc } from '../heredoc.ts';
import type { ParseResult } from '../parse.ts';
import type { Range } from '../source-text.ts';

/**
 * What was read of a Dockerfile, a line for each thing, as the fixtures have it: the directives, the instructions with
 * their lines, the diagnostics. Texts stand in quotes, with escapes; those of more than 200 characters by their length.
 */
export function describeFile({ dockerfile, diagnostics }: ParseResult): string {
  const { syntax, escape, check } = dockerfile.directives;
  const directives = Object.entries({ syntax, escape, check }).flatMap(([name, directive]) =>
    directive === undefined ? [] : [`directive ${name} ${quote(directive.value)}`],
  );
  const stages = dockerfile.stages.flatMap(({ index, name, from, instructions }) => [
    `stage ${index}${name === undefined ? '' : ` ${name}`}`,
    ...[from, ...instructions].map(describeInstruction),
  ]);
  const lines = [
    ...directives,
    ...dockerfile.globalArgs.map(describeInstruction),
    ...stages,
    ...diagnostics.map(describeDiagnostic),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function quote(text: string): string {
  return text.length > 200 ? `(${text.length} characters)` : JSON.stringify(text);
}

/** An instruction in a line. */
export function describeInstruction(instruction: Instruction): string {
  const { start, end } = instruction.range;
  const lines = start.line === end.line ? `${start.line}` : `${start.line}-${end.line}`;
  return [`${lines} ${instruction.kind.toUpperCase()}`, ...partsOf(instruction)].join(' ');
}

function partsOf(instruction: Instruction): string[] {
  switch (instruction.kind) {
    case 'from': {
      const { image, platform, stageName } = instruction;
      return [
        ...(platform === undefined ? [] : flagsOf([platform])),
        quote(image.text),
        ...(stageName === undefined ? [] : [`as ${quote(stageName.text)}`]),
      ];
    }
    case 'run':
      return [
        ...flagsOf(instruction.flags),
        commandOf(instruction.command),
        ...instruction.heredocs.map(heredocOf),
      ];
    case 'copy':
    case 'add': {
      const { flags, sources, destination } = instruction;
      const from = sources.map((source) =>
        source.kind === 'path' ? quote(source.word.text) : heredocOf(source.heredoc),
      );
      return [...flagsOf(flags), ...from, `to ${quote(destination.text)}`];
    }
    case 'env':
    case 'label':
      return [
        ...instruction.pairs.map(({ key, value }) => `${quote(key.text)}=${quote(value.text)}`),
        ...(instruction.isLegacy ? ['legacy'] : []),
      ];
    case 'arg':
      return instruction.args.map(({ name, value }) =>
        value === undefined ? quote(name.text) : `${quote(name.text)}=${quote(value.text)}`,
      );
    case 'workdir':
    case 'user':
    case 'stopsignal':
    case 'maintainer':
      return [quote(instruction.value.text)];
    case 'expose':
      return instruction.ports.map(({ text }) => quote(text));
    case 'volume':
      return instruction.paths.map(({ text }) => quote(text));
    case 'shell':
      return [`exec ${JSON.stringify(instruction.args)}`];
    case 'cmd':
    case 'entrypoint':
      return [commandOf(instruction.command)];
    case 'healthcheck': {
      const { command, interval, timeout, startPeriod, startInterval, retries } = instruction;
      const timing = Object.entries({ interval, timeout, startPeriod, startInterval, retries });
      return [
        ...timing.flatMap(([name, value]) => (value === 0 ? [] : [`${name}=${value}`])),
        command === undefined ? 'none' : commandOf(command),
      ];
    }
    case 'onbuild':
      return [quote(instruction.trigger)];
  }
}

function flagsOf(flags: readonly Flag[]): string[] {
  return flags.map(({ name, value }) => (value === undefined ? `--${name}` : `--${name}=${quote(value)}`));
}

function commandOf(command: Command): string {
  return command.form === 'shell' ? `shell ${quote(command.text)}` : `exec ${JSON.stringify(command.args)}`;
}

function heredocOf({ name, isExpanded, stripsTabs, body }: Heredoc): string {
  return `heredoc ${name}${isExpanded ? '' : ' raw'}${stripsTabs ? ' tabs' : ''} ${quote(body)}`;
}

function describeDiagnostic({ severity, code, range, message, suggestion }: Diagnostic): string {
  const near = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  return `${severity} ${place(range)} ${code}: ${message}${near}`;
}

function place({ start, end }: Range): string {
  return `${start.line}:${start.column}-${end.line}:${end.column}`;
}
