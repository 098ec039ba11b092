import type { BuildEvent, Failure } from '@caisson/builder';
import { warningText } from '../failure-text.ts';
import { LiveProgress } from '../output/live/live-progress.ts';
import { LiveScreen } from '../output/live/screen.ts';
import { themeFor } from '../output/live/theme.ts';
import { screenOf, type Terminal } from '../terminal.ts';
import { AT_REST, exitedText, type Built, type Rounds } from './rounds.ts';
import type { Started } from './running.ts';

/**
 * Each build of a watch as `build` shows it on a terminal: what is said of it in the end stays. Between builds a line says
 * that there is nothing to do; it does not stay.
 */
export class LiveRounds implements Rounds {
  readonly isForPrograms = false;
  readonly #terminal: Terminal;
  readonly #idle: LiveScreen;
  readonly #atRest: string;
  /** The build that is going on. */
  #build: LiveProgress | undefined;
  #isAtRest = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#idle = new LiveScreen(screenOf(terminal), terminal.error);
    this.#atRest = themeFor(terminal.env, terminal.hasColor).dim(`  ${AT_REST}`);
    this.#build = new LiveProgress(terminal);
  }

  begin(): Promise<void> {
    this.#endBuild();
    this.#build = new LiveProgress(this.#terminal);
    return Promise.resolve();
  }

  readonly emit = (event: BuildEvent): void => {
    if (this.#build !== undefined) return this.#build.emit(event);
    if (event.kind === 'warning') this.warn(warningText(event, this.#terminal.hasColor));
  };

  built({ duration }: Built): void {
    this.#build?.finish('built', duration);
    this.#build = undefined;
  }

  failed(failures: readonly Failure[]): void {
    this.#build ??= new LiveProgress(this.#terminal);
    this.#build.emit({ kind: 'failed', failures });
    this.#build.finish('failed');
    this.#build = undefined;
  }

  tell(line: string): void {
    this.warn(`${line}\n`);
  }

  exited(what: Started, exitCode: number): void {
    this.tell(exitedText(what, exitCode));
  }

  warn(text: string): void {
    if (this.#build !== undefined) return this.#build.tell(text);
    this.#idle.update(text, this.#isAtRest ? [this.#atRest] : []);
  }

  rest(): void {
    this.#endBuild();
    this.#isAtRest = true;
    this.#idle.update('', [this.#atRest]);
  }

  /** It is overwritten. */
  interrupted(): void {}

  [Symbol.dispose](): void {
    this.#endBuild();
  }

  /** Takes from the screen what does not stay. */
  #endBuild(): void {
    this.#build?.stop();
    this.#build = undefined;
    if (this.#isAtRest) this.#idle.update('', []);
    this.#isAtRest = false;
  }
}
