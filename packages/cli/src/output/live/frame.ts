import { counted, allFilesText, gitText, walkText } from '../format.ts';
import type { BuildView } from './build-view.ts';
import { elapsed, type Lines } from './lines.ts';
import type { Transfer } from './transfer.ts';

/** More lines than these are no longer looked at, however high the terminal is. */
const MOST_LINES = 24;
const MOST_TRANSFERS = 4;
/** Of a step that runs alone, and of each of several. */
const MOST_OUTPUT = { alone: 8, each: 4 };

/** What is going on, as lines that fit on a terminal: what travels, what runs with its last lines, how far all is. */
export function drawFrame(view: BuildView, lines: Lines, rows: number, now: number): string[] {
  // The cursor stands on a line of its own below the frame.
  const room = Math.min(rows - 2, MOST_LINES);
  if (room < 1) return [];
  const transfers = transferLines(view, lines, now).slice(0, Math.min(MOST_TRANSFERS, room - 1));
  const steps = stepLines(view, lines, room - transfers.length, now);
  return [...transfers, ...steps, lines.quiet(status(view, now))];
}

/** How long it is shown how far something is that does not say when it ends, in milliseconds. */
const FRESH = 1000;

function transferLines(view: BuildView, lines: Lines, now: number): string[] {
  const { walks, repositories, downloads, reads, pulls, compressions, pushes } = view;
  const fresh = <T extends { readonly at: number }>(all: ReadonlyMap<string, T>): T[] =>
    [...all.values()].filter(({ at }) => now - at < FRESH);
  const moving = (all: ReadonlyMap<string, Transfer>): [string, Transfer][] =>
    [...all].filter(([, transfer]) => !transfer.isOver(now, 0));
  return [
    ...fresh(walks).map(({ event }) => lines.far(`looking through ${event.context}`, walkText(event))),
    ...fresh(repositories).map(({ event }) => lines.far(event.repository, gitText(event))),
    ...moving(downloads).map(([url, transfer]) => lines.transfer('down', url, transfer, now)),
    ...[...reads].map(([name, { soFar, transfer }]) =>
      lines.transfer('read', `${name}, ${allFilesText(soFar)}`, transfer, now),
    ),
    ...[...pulls].map(([name, pull]) => lines.transfer('down', name, pull, now)),
    ...moving(compressions).map(([name, transfer]) =>
      lines.transfer('read', `compressing ${name}`, transfer, now),
    ),
    ...[...pushes].map(([name, push]) => lines.transfer('up', name, push, now)),
  ];
}

function stepLines({ running }: BuildView, lines: Lines, room: number, now: number): string[] {
  // In the order of the Dockerfile, whichever began first: so they keep their places.
  const all = [...running.values()].toSorted((a, b) => a.step.id - b.step.id);
  const shown = all.length <= room ? all : all.slice(0, Math.max(0, room - 1));
  const hidden = all.length - shown.length;
  const left = room - shown.length - (hidden > 0 ? 1 : 0);
  const output = Math.min(
    shown.length > 1 ? MOST_OUTPUT.each : MOST_OUTPUT.alone,
    Math.floor(left / Math.max(1, shown.length)),
  );
  return [
    ...shown.flatMap((step) => [
      lines.step('running', step.step, elapsed(now - step.begunAt)),
      ...step
        .tail()
        .slice(-Math.max(1, output))
        .slice(output === 0 ? 1 : 0)
        .map((line) => lines.output(line)),
    ]),
    ...(hidden > 0 && room > 0 ? [lines.quiet(`and ${counted(hidden, 'step')} more`)] : []),
  ];
}

function status({ tally, begunAt, image }: BuildView, now: number): string {
  const time = elapsed(now - begunAt);
  if (image !== undefined) return `image complete, ${time}`;
  if (tally.planned === 0) return `looking at the Dockerfile and base images, ${time}`;
  const [cached, ran] = [tally.count('cached'), tally.count('ran')];
  const done = `${cached + ran} of ${counted(tally.planned, 'step')}`;
  return `${time}, ${done}${cached === 0 ? '' : `, ${cached} cached`}`;
}
