import { printableLine } from './line-splitter.ts';

/**
 * Columns under headings, as docker prints them: three spaces apart, none behind the last. Each row is one line, in which a
 * terminal finds nothing to obey: what images say of themselves stands in them.
 */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = [headings, ...rows.map((row) => row.map(printableLine))];
  const widths = headings.map((_heading, column) =>
    Math.max(...shown.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd();
  return `${shown.map(line).join('\n')}\n`;
}
