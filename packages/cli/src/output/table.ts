import { printableLine } from './line-splitter.ts';

const GAP = '   ';
const ELLIPSIS = '...';
/** No column is made narrower than this: ids stay as they are. */
const LEAST = 16;

/**
 * Columns under headings, as docker prints them: three spaces apart, none behind the last. Each row is one line, in which a
 * terminal finds nothing to obey: what images say of themselves stands in them.
 * @param room how wide it may be: where it would be wider, what is longest is cut
 */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  room = Infinity,
): string {
  const shown = [headings, ...rows.map((row) => row.map(printableLine))];
  const widths = fitted(
    headings.map((_heading, column) => Math.max(...shown.map((row) => row[column]?.length ?? 0))),
    room - (headings.length - 1) * GAP.length,
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cut(cell, widths[column] ?? 0).padEnd(widths[column] ?? 0))
      .join(GAP)
      .trimEnd();
  return `${shown.map(line).join('\n')}\n`;
}

/** The widest give way. */
function fitted(widths: readonly number[], room: number): number[] {
  const fit = [...widths];
  for (let over = fit.reduce((sum, width) => sum + width, 0) - room; over > 0; over--) {
    const widest = Math.max(...fit);
    if (widest <= LEAST) break;
    fit[fit.indexOf(widest)] = widest - 1;
  }
  return fit;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - ELLIPSIS.length)}${ELLIPSIS}`;
}
