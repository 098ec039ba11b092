import { Help } from 'commander';
import { WIDTH } from './help-notes.ts';

/** In columns: what flags mean is said beside them where there is so much room for it. */
export const LEAST_WRAPPED = 16;

const INDENT = '      ';
/** What stands around a flag, in columns. */
const AROUND = 4;

/** A flag, an argument or a command, and what it means; below it, where there is no room beside. */
export function helpItem(term: string, termWidth: number, description: string, help: Help): string {
  const width = help.helpWidth ?? WIDTH;
  if (width - termWidth - AROUND >= LEAST_WRAPPED || description === '')
    return Help.prototype.formatItem.call(help, term, termWidth, description, help);
  const below = help.boxWrap(description, width - INDENT.length);
  return `  ${term}\n${below.replaceAll(/^/gm, INDENT)}`;
}
