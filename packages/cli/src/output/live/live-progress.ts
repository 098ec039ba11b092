import type { BuildEvent, Emit } from '@caisson/builder';
import type { Digest } from '@caisson/oci';
import { buildFailuresText, warningText } from '../../failure-text.ts';
import { screenOf, type Screen, type Terminal } from '../../terminal.ts';
import { allFilesText, counted, seconds, shortId, size } from '../format.ts';
import { familiarNames, sizeText } from '../image-text.ts';
import type { Ended, Progress } from '../progress.ts';
import { BuildView } from './build-view.ts';
import { width } from './fit.ts';
import { drawFrame } from './frame.ts';
import { Lines } from './lines.ts';
import { LiveScreen } from './screen.ts';
import { themeFor } from './theme.ts';

/** How often is drawn, if something changed, in milliseconds. */
const INTERVAL = 100;
/** After how long without more layers the pull of an image is over, in milliseconds. */
const PULL_IS_OVER = 300;

/** What a live view needs of a terminal. */
type LiveTerminal = Pick<Terminal, 'error' | 'hasColor' | 'env' | 'screen'>;

/**
 * A build on a terminal: steps that have run scroll up and stay; below them stands what is going on, drawn anew when it
 * changes; steps that the cache had are a number. What is left in the end is what somebody wants to have read.
 */
export class LiveProgress implements Progress {
  readonly #terminal: Pick<Terminal, 'error' | 'hasColor'> & { readonly screen: Screen };
  readonly #view = new BuildView(performance.now());
  readonly #lines: Lines;
  readonly #screen: LiveScreen;
  readonly #timer: NodeJS.Timeout;
  /** What is to scroll up with the next drawing. */
  #lasting = '';

  constructor(terminal: LiveTerminal) {
    const { error, env, hasColor } = terminal;
    const screen = screenOf(terminal);
    this.#terminal = { error, hasColor, screen };
    this.#lines = new Lines(themeFor(env, hasColor), () => screen.columns);
    this.#screen = new LiveScreen(screen, error);
    this.#timer = setInterval(() => this.#draw(), INTERVAL);
    this.#timer.unref();
  }

  readonly emit: Emit = (event) => {
    const now = performance.now();
    this.#view.note(event, now);
    if (event.kind === 'planned') this.#lines.fit(event.steps);
    this.#keep(this.#lastingText(event));
  };

  /** Adds a text that stays, above what is going on. */
  tell(text: string): void {
    this.#keep(text);
  }

  /** @param took in milliseconds, where it did not begin with this view */
  finish(ended: Ended, took?: number): void {
    this.#keep(this.#summary(ended, took));
    this.stop();
  }

  /** Ends it without a word of how the build ended. */
  stop(): void {
    clearInterval(this.#timer);
    this.#endPulls(0);
    this.#screen.update(this.#lasting, []);
    this.#lasting = '';
  }

  #draw(): void {
    this.#endPulls(PULL_IS_OVER);
    const lasting = this.#lasting;
    this.#lasting = '';
    const { rows } = this.#terminal.screen;
    this.#screen.update(lasting, drawFrame(this.#view, this.#lines, rows, performance.now()));
  }

  #keep(text: string): void {
    this.#lasting += text === '' || text.endsWith('\n') ? text : `${text}\n`;
  }

  /** What stays of an event. */
  #lastingText(event: BuildEvent): string {
    const { hasColor } = this.#terminal;
    switch (event.kind) {
      case 'step-done':
        return this.#lines.step(
          'done',
          event.step,
          seconds(event.duration),
          event.isSame ? 'same result as before' : '',
        );
      case 'step-failed':
        return this.#lines.step('failed', event.step, seconds(event.duration));
      case 'step-cancelled':
        return this.#lines.step('cancelled', event.step, seconds(event.duration), 'cancelled');
      case 'cache-imported':
        return this.#lines.done(`${event.from}: ${counted(event.records, 'record')}`);
      case 'cache-exported':
        return this.#lines.done(
          `wrote ${event.to}: ${counted(event.records, 'record')}`,
          this.#endPush(event.to),
        );
      case 'output': {
        const { type, destination } = event;
        return this.#lines.done(
          `wrote ${type} to ${destination === '-' ? 'the standard output' : (destination ?? 'a stream')}`,
        );
      }
      case 'pushed':
        return this.#lines.done(`pushed ${event.name}`, this.#endPush(event.name));
      case 'read': {
        if (event.files < event.allFiles) return '';
        const what = `read ${event.context}, ${allFilesText(event)}`;
        return this.#lines.done(what, `${size(event.size)}, ${seconds(event.duration)}`);
      }
      case 'warning':
        return warningText(event, hasColor);
      case 'failed':
        return buildFailuresText(event.failures, hasColor);
      case 'planned':
      case 'base':
      case 'compress':
      case 'download':
      case 'fetch':
      case 'git':
      case 'send':
      case 'walk':
      case 'pushing':
      case 'transfer':
      case 'image':
      case 'index':
      case 'isolation':
      case 'step-cached':
      case 'step-started':
      case 'step-output':
      case 'step-copying':
        return '';
    }
  }

  #endPulls(after: number): void {
    const { pulls } = this.#view;
    for (const [name, pull] of pulls) {
      if (!pull.isOver(performance.now(), after)) continue;
      pulls.delete(name);
      this.#keep(this.#lines.done(`pulled ${name}`, pull.summary));
    }
  }

  /** Takes what was sent to a place from the frame. @returns what it came to */
  #endPush(name: string): string | undefined {
    const { pushes } = this.#view;
    const transfer = pushes.get(name);
    pushes.delete(name);
    return transfer?.summary;
  }

  #summary(ended: Ended, duration?: number): string {
    const { tally, image, begunAt } = this.#view;
    const { theme } = this.#lines;
    const took = tally.summary(ended, duration ?? performance.now() - begunAt);
    if (ended !== 'built' || image === undefined) return `${theme.dim(`  ${took}`)}\n`;
    const reasons = tally.reasons().map((reason) => this.#lines.quiet(`  ${reason}`));
    const lines = image.kind === 'image' ? this.#imageLines(image) : this.#indexLines(image);
    return `${[...lines, this.#lines.quiet(took), ...reasons].join('\n')}\n`;
  }

  #imageLines(image: Extract<BuildEvent, { kind: 'image' }>): string[] {
    const { theme } = this.#lines;
    const { columns } = this.#terminal.screen;
    const names = (image.isStored ? familiarNames(image) : []).join(', ') || 'image';
    const title = `${theme.green(theme.glyphs.done)} ${theme.bold(names)}`;
    const about = sizeText(image);
    // A name is not cut: somebody wants to copy it.
    const isOneLine = width(`${names}${about}`) + 4 < columns;
    return [
      ...(isOneLine ? [`${title}  ${about}`] : [title, this.#lines.quiet(about)]),
      `  ${this.#fitted(image.id)}`,
    ];
  }

  #indexLines(index: Extract<BuildEvent, { kind: 'index' }>): string[] {
    const { theme } = this.#lines;
    const { images } = index;
    const { pushed } = this.#view;
    const title =
      pushed === undefined ? `images for ${images.length} platforms` : familiarNames(index).join(', ');
    return [
      `${theme.green(theme.glyphs.done)} ${theme.bold(title)}`,
      ...images.map((each) => this.#lines.quiet(`${each.platform}  ${shortId(each.id)}  ${size(each.size)}`)),
      `  ${this.#fitted(pushed?.digest ?? index.digest)}`,
    ];
  }

  /** A digest, whole where there is room for it. */
  #fitted(digest: Digest): string {
    const { columns } = this.#terminal.screen;
    return columns > digest.length + 3 ? digest : digest.slice(0, 'sha256:'.length + 12);
  }
}
