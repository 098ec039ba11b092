import { cpus, release, totalmem } from 'node:os';
import { findTool } from '../../test/rig/tools.ts';
import type { Builder } from './builders.ts';
import type { Results, WorkResult } from './results.ts';
import type { Work } from './work.ts';

type Cell = WorkResult['builders'][string][number] | undefined;

/** The lines of a work in the table: one for each column, and what they say together. */
export function rowsOf(
  work: Work,
  { builders, notes = {} }: WorkResult,
  shown: readonly Builder[],
): string[] {
  const [first] = shown;
  const ours = first === undefined ? [] : (builders[first.name] ?? []);
  const rows = work.columns.map((column, index) => {
    const own = ours[index];
    const cells = shown.map((builder, place) =>
      place === 0
        ? cellOf(own, builder)
        : comparedCell(builders[builder.name]?.[index], own, builder) || (work.absent ?? ''),
    );
    return `| ${index === 0 ? work.title : ''} | ${column} | ${cells.join(' | ')} |`;
  });
  const seconds = ours.map((cell) => cell?.seconds ?? Number.NaN);
  const others = shown
    .slice(1)
    .map(() => ' |')
    .join('');
  if (work.derived !== undefined)
    rows.push(`| | ${work.derived.title} | ${work.derived.of(seconds)} |${others}`);
  for (const [title, value] of Object.entries(notes)) rows.push(`| | ${title} | ${value} |${others}`);
  return rows;
}

function cellOf(cell: Cell, { isWhole }: Builder): string {
  if (cell === undefined || cell === null) return '';
  const memory = isWhole ? `, ${Math.round(cell.peak / 1e6)} MB` : '';
  return `${cell.seconds.toFixed(2)} s${memory}`;
}

function comparedCell(cell: Cell, own: Cell, builder: Builder): string {
  if (cell === undefined || cell === null || own === undefined || own === null) return cellOf(cell, builder);
  return `${cellOf(cell, builder)} (${(cell.seconds / own.seconds).toFixed(1)}x)`;
}

/** The page. */
export function reportOf(
  works: readonly Work[],
  results: Results,
  { builders, runtime }: { readonly builders: readonly Builder[]; readonly runtime: string },
): string {
  const done = works.flatMap((work) => {
    const result = results.get(work.id);
    return result === undefined ? [] : [{ work, result }];
  });
  const rows = done.flatMap(({ work, result }) => rowsOf(work, result, builders));
  const rounds = [...new Set(done.map(({ result }) => result.rounds))].toSorted((a, b) => a - b);
  const dates = done.map(({ result }) => result.date).toSorted();
  return `# Benchmarks

Medians of ${rounds.join(' or ')} rounds after one to warm up, in which the builders took turns; in brackets how many times ours that is.
Written by \`npm run bench -- --write\` (\`--work ID\` for some of the works, \`--all\` for the long ones too), ${[...new Set([dates.at(0), dates.at(-1)])].join(' to ')}.

| work | | ${builders.map(({ name }) => name).join(' | ')} |
| --- | --- |${' --- |'.repeat(builders.length)}
${rows.join('\n')}

- Machine: ${cpus().length} cores (${cpus()[0]?.model ?? ''}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}; our steps run by ${runtime}.
  Installed, for whoever decompresses layers with it: ${decompressors()}.
- Cold: everything that was built before is forgotten (a new store; \`docker builder prune -af\`); the base image, a minimal
  Debian, is there, unpacked and on the disk. Nothing changed: the same command again.
- Times are of the whole command, start-up included. Our store lies in a journaled ext4 in a loop image of its own;
  the peers keep theirs where they were set up to.
- Memory is the most that the command and what it started had at once, seen 25 times a second; pages that processes share count
  in each. Docker's engine does the work of its client: what it needs is not known here.
- Docker writes no OCI archive of what it builds: there it is \`docker build\` and then \`docker save\`.
- An empty cell was not measured, or is not what that builder does.
- Absolute times differ from machine to machine and from run to run: compare the ratios.
`;
}

function decompressors(): string {
  return ['igzip', 'pigz'].filter((name) => findTool(name) !== undefined).join(', ') || 'nothing';
}
