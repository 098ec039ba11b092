import type { Command, CopySource, HealthcheckInstruction, Instruction, Pair } from './ast.ts';
import type { EscapeCharacter } from './directives.ts';
import type { Flag } from './flags.ts';
import { formatGoDuration } from './go-duration.ts';
import type { Heredoc } from './heredoc.ts';
import type { Word } from './words.ts';

/**
 * Prints an instruction on a line of its own, its heredocs below. Parsing that gives the same instruction.
 * @param escape the escape character of the file that it is to stand in
 * @returns the text, without a newline at the end
 */
export function formatInstruction(instruction: Instruction, escape: EscapeCharacter = '\\'): string {
  const { line, below } = partsOf(instruction, escape);
  const text = [instruction.kind.toUpperCase(), ...line].filter((part) => part !== '').join(' ');
  // A last escape character would continue the line; a form feed behind it is dropped, and takes that from it.
  const end = text.endsWith(escape) && !text.endsWith(escape + escape) ? '\f' : '';
  return [text + end, ...(below ?? []).map(({ body, name }) => body + name)].join('\n');
}

/** What stands behind the name, and the heredocs whose texts follow. */
interface Parts {
  readonly line: readonly string[];
  readonly below?: readonly Heredoc[];
}

function partsOf(instruction: Instruction, escape: EscapeCharacter): Parts {
  switch (instruction.kind) {
    case 'from': {
      const { platform, image, stageName } = instruction;
      const name = stageName === undefined ? [] : ['AS', stageName.text];
      return {
        line: [...formatFlags(platform === undefined ? [] : [platform], escape), image.text, ...name],
      };
    }
    case 'run': {
      const { flags, command, heredocs } = instruction;
      return { line: [...formatFlags(flags, escape), protect(formatCommand(command))], below: heredocs };
    }
    case 'copy':
    case 'add': {
      const { flags, sources, destination } = instruction;
      const line = [...formatFlags(flags, escape), formatOperands(sources, destination)];
      return {
        line,
        below: sources.flatMap((source) => (source.kind === 'heredoc' ? [source.heredoc] : [])),
      };
    }
    case 'env':
    case 'label':
      return { line: [protect(formatPairs(instruction.pairs, instruction.isLegacy))] };
    case 'arg':
      return {
        line: instruction.args.map(({ name, value }, index) => {
          const text = value === undefined ? name.text : `${name.text}=${value.text}`;
          return index === 0 ? protect(text) : text;
        }),
      };
    case 'workdir':
    case 'user':
    case 'stopsignal':
    case 'maintainer':
      return { line: [protect(instruction.value.text)] };
    case 'expose':
      return { line: [protect(instruction.ports.map(({ text }) => text).join(' '))] };
    case 'volume':
      return { line: [formatList(instruction.paths.map(({ text }) => text))] };
    case 'shell':
      return { line: [JSON.stringify(instruction.args)] };
    case 'cmd':
    case 'entrypoint':
      return { line: [protect(formatCommand(instruction.command))] };
    case 'healthcheck':
      return { line: formatHealthcheck(instruction) };
    case 'onbuild':
      return { line: [protect(instruction.trigger)] };
  }
}

/** What begins like a flag and is none stands behind two dashes. */
function protect(text: string): string {
  return text.startsWith('--') ? `-- ${text}` : text;
}

function formatFlags(flags: readonly Flag[], escape: EscapeCharacter): string[] {
  return flags.map(({ name, value }) => {
    if (value === undefined) return `--${name}`;
    if (!/[\s"'\\`]/.test(value)) return `--${name}=${value}`;
    const quoted = [...value].map((character) =>
      character === '"' || character === escape ? escape + character : character,
    );
    return `--${name}="${quoted.join('')}"`;
  });
}

function formatCommand(command: Command): string {
  return command.form === 'shell' ? command.text : JSON.stringify(command.args);
}

function formatPairs(pairs: readonly Pair[], isLegacy: boolean): string {
  return pairs.map(({ key, value }) => `${key.text}${isLegacy ? ' ' : '='}${value.text}`).join(' ');
}

function formatOperands(sources: readonly CopySource[], { text }: Word): string {
  if (sources.every(({ kind }) => kind === 'path')) {
    return formatList([...sources.map((source) => (source.kind === 'path' ? source.word.text : '')), text]);
  }
  const words = sources.map((source) =>
    source.kind === 'path' ? source.word.text : opening(source.heredoc),
  );
  return protect([...words, text].join(' '));
}

function opening({ name, isExpanded, stripsTabs }: Heredoc): string {
  const word = isExpanded ? name : `"${name.replaceAll(/["$\\]/g, String.raw`\$&`)}"`;
  return `<<${stripsTabs ? '-' : ''}${word}`;
}

/** Words that stand for themselves, or a list in JSON. */
function formatList(words: readonly string[]): string {
  const arePlain = words.every((word) => /^[^\s"'[\]<\\`-][^\s"'<\\`]*$/.test(word));
  return arePlain ? words.join(' ') : JSON.stringify(words);
}

function formatHealthcheck({ command, retries, ...timing }: HealthcheckInstruction): string[] {
  if (command === undefined) return ['NONE'];
  const { interval, timeout, startPeriod, startInterval } = timing;
  const durations = { interval, timeout, 'start-period': startPeriod, 'start-interval': startInterval };
  return [
    ...Object.entries(durations).flatMap(([name, value]) =>
      value === 0 ? [] : [`--${name}=${formatGoDuration(value)}`],
    ),
    ...(retries === 0 ? [] : [`--retries=${retries}`]),
    'CMD',
    formatCommand(command),
  ];
}
