import type { AddHelpTextContext } from 'commander';

/** What stands behind the flags in the help of a command. */
export interface HelpNotes {
  /** Command lines, each with what it is for where that is not plain. */
  readonly examples: readonly (readonly [command: string, what?: string])[];
  /** Paragraphs. */
  readonly text?: readonly string[];
}

/** Where nobody says how wide the help may be. */
export const WIDTH = 80;
const INDENT = '  ';

/** The notes as they fit: what examples are for stands behind them, or above where there is no room. */
export function helpNotes({ examples, text = [] }: HelpNotes): (context: AddHelpTextContext) => string {
  return ({ command, error }) => {
    const output = command.configureOutput();
    const width = (error ? output.getErrHelpWidth?.() : output.getOutHelpWidth?.()) ?? WIDTH;
    const help = command.createHelp();
    const paragraphs = text.map((each) => help.boxWrap(each, width));
    const blocks = [`Examples:\n${exampleLines(examples, width).join('\n')}`, ...paragraphs.slice(0, 1)];
    return `\n${[blocks.join('\n\n'), ...paragraphs.slice(1)].join('\n')}\n`;
  };
}

function exampleLines(examples: HelpNotes['examples'], width: number): string[] {
  const column = Math.max(...examples.map(([command, what]) => (what === undefined ? 0 : command.length)));
  const isWide = examples.some(([, what = '']) => INDENT.length + column + what.length + 4 > width);
  return examples.flatMap(([command, what]) => {
    if (what === undefined) return [INDENT + command];
    const comment = `# ${what}`;
    return isWide ? [INDENT + comment, INDENT + command] : [`${INDENT}${command.padEnd(column)}  ${comment}`];
  });
}
