import { splitWords } from '../watch/split-words.ts';

/** What bash says of a line that it completes. */
export interface BashLine {
  /** Behind the name of the program; the last one is being written. */
  readonly words: readonly string[];
  /** How much of the last word readline does not replace: it takes what follows a `=` or `:` for a word of its own. */
  readonly kept: number;
}

/** Stands for the cursor. No command line has it. */
const CURSOR = '\0';

/**
 * Splits the line that bash completes, up to the cursor. A quote may be open there.
 * @param breaks COMP_WORDBREAKS
 */
export function readBashLine(line: string, breaks: string): BashLine {
  for (const closing of ['', "'", '"']) {
    const split = splitWords(`${line}${CURSOR}${closing}`);
    if (!split.ok) continue;
    const words = split.value.slice(1).map((word) => word.replace(CURSOR, ''));
    const last = words.at(-1) ?? '';
    const ends = ['=', ':'].filter((mark) => breaks.includes(mark)).map((mark) => last.lastIndexOf(mark));
    // In quotes nothing ends a word.
    return { words, kept: closing === '' ? Math.max(-1, ...ends) + 1 : 0 };
  }
  return { words: [''], kept: 0 };
}
