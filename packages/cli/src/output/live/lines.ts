import type { StepInfo } from '@caisson/builder';
import { seconds, size } from '../format.ts';
import { printableLine } from '../line-splitter.ts';
import { cut, pad, width, withoutTabs } from './fit.ts';
import type { Theme } from './theme.ts';
import type { Transfer } from './transfer.ts';

/** Where a line would be too long to be read with its end, in columns. */
const WIDEST = 100;
const LONGEST_STAGE = 14;
/** With its platform: `amd64->arm64 build`. */
const LONGEST_WITH_PLATFORM = 24;
const INDENT = '  ';

/** Draws lines for a terminal of some width. All of a build use one of these, so that columns are below each other. */
export class Lines {
  readonly theme: Theme;
  /** The last column stays empty: terminals differ in what they do there. */
  readonly #columns: () => number;
  #numbers = 1;
  #stages = 0;

  constructor(theme: Theme, columns: () => number) {
    this.theme = theme;
    this.#columns = () => columns() - 1;
  }

  /** Makes room for the names of these steps. */
  fit(steps: readonly StepInfo[]): void {
    this.#numbers = String(steps.length).length;
    const longest = steps.some(({ name }) => PLATFORM.test(name)) ? LONGEST_WITH_PLATFORM : LONGEST_STAGE;
    this.#stages = Math.min(longest, Math.max(0, ...steps.map((step) => width(stageOf(step)))));
  }

  /** `✓ #3 build  COPY src/ ./                 0.1 s` */
  step(mark: 'running' | 'done' | 'failed' | 'cancelled', step: StepInfo, time: string, note = ''): string {
    const { glyphs, dim, red, green, cyan } = this.theme;
    const color = { running: cyan, done: green, failed: red, cancelled: dim }[mark];
    const columns = this.#columns();
    const number = columns < 30 ? '' : `${`#${step.id}`.padEnd(this.#numbers + 1)} `;
    const hasStage = columns >= 60 && this.#stages > 0;
    const stage = hasStage ? `${pad(cut(stageOf(step), this.#stages), this.#stages)}  ` : '';
    const text = printableLine(step.text);
    const end = note === '' || columns < 60 ? time : `${note}, ${time}`;
    return this.#spread(color(glyphs[mark]), dim(number + stage), text, end);
  }

  /** `✓ pulled alpine:3                 3.64 MB, 0.4 s` */
  done(text: string, end = ''): string {
    return this.#spread(this.theme.green(this.theme.glyphs.done), '', text, end);
  }

  /** `→ looking through the build context             41,200 files and folders` */
  far(text: string, end: string): string {
    const { glyphs, cyan } = this.theme;
    return this.#spread(cyan(glyphs.read), '', text, end);
  }

  /** `↓ alpine:3  ━━━━━━────────  1.2 MB of 3.64 MB, 5.1 MB/s` */
  transfer(mark: 'down' | 'up' | 'read', name: string, transfer: Transfer, now: number): string {
    const { glyphs, dim, cyan } = this.theme;
    const { done, size: total } = transfer;
    const columns = Math.min(this.#columns(), WIDEST);
    const rate = transfer.rate(now);
    const amount = total === 0 ? (done === 0 ? '' : size(done)) : `${size(done)} of ${size(total)}`;
    const end = rate > 0 && columns >= 60 ? `${amount}, ${size(rate)}/s` : amount;
    const room = columns - 2 - width(end) - 4;
    const bar = Math.min(20, Math.floor(room / 2));
    if (bar < 6 || total === 0) return this.#spread(cyan(glyphs[mark]), '', name, end);
    const full = Math.min(bar, Math.floor((bar * done) / total));
    const drawn = cyan(glyphs.full.repeat(full)) + dim(glyphs.empty.repeat(bar - full));
    const label = pad(cut(name, room - bar), room - bar);
    return `${cyan(glyphs[mark])} ${label}  ${drawn}  ${dim(end)}`;
  }

  /** `  │ what a step wrote` */
  output(text: string): string {
    const { glyphs, dim } = this.theme;
    return dim(`${INDENT}${glyphs.tail} ${cut(withoutTabs(text), this.#columns() - 4)}`);
  }

  /** A line of its own, that does not stand out. */
  quiet(text: string): string {
    return this.theme.dim(INDENT + cut(text, this.#columns() - 2));
  }

  #spread(mark: string, label: string, text: string, end: string): string {
    const columns = Math.min(this.#columns(), WIDEST);
    // On a very narrow terminal what is done counts more than how long it took.
    const time = columns - 2 - width(end) < 8 ? '' : end;
    const room = columns - 2 - width(label) - (time === '' ? 0 : width(time) + 2);
    const shown = pad(cut(text, room), time === '' ? 0 : room);
    return `${mark} ${label}${shown}${time === '' ? '' : `  ${this.theme.dim(time)}`}`;
  }
}

/** `build` of a step that is called `build 2/5`, `arm64 build` of `linux/arm64 build 2/5`. */
function stageOf({ name }: StepInfo): string {
  return name.replace(/ ?\d+\/\d+$/, '').replace(PLATFORM, '');
}

/** How the name of a step begins that is for one of several platforms. */
const PLATFORM = /^linux\//;

/** How long something has been going on: in tenths only as long as they say something. */
export function elapsed(milliseconds: number): string {
  if (milliseconds < 10_000 || milliseconds >= 120_000) return seconds(milliseconds);
  return `${Math.floor(milliseconds / 1000)} s`;
}
