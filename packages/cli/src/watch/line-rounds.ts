import type { BuildEvent, Failure } from '@caisson/builder';
import { buildFailuresText } from '../failure-text.ts';
import { inertFor } from '../output/ci/ci-format.ts';
import { counted } from '../output/format.ts';
import { openProgress } from '../output/open-progress.ts';
import type { Progress } from '../output/progress.ts';
import { rawJsonLine } from '../output/raw-json-progress.ts';
import type { Terminal } from '../terminal.ts';
import { AT_REST, exitedText, type Built, type Rounds } from './rounds.ts';
import type { Started } from './running.ts';

/** The kinds that need no terminal. */
type LineKind = 'plain' | 'quiet' | 'rawjson';

/** Each build of a watch as `build` shows it in lines, what led to it, and what came of it. */
export class LineRounds implements Rounds {
  readonly isForPrograms: boolean;
  readonly #terminal: Terminal;
  readonly #lines: ReturnType<typeof inertFor>;
  readonly #kind: LineKind;
  #build: Progress;

  private constructor(kind: LineKind, terminal: Terminal, build: Progress) {
    this.isForPrograms = kind === 'rawjson';
    this.#kind = kind;
    this.#terminal = terminal;
    this.#lines = inertFor(terminal);
    this.#build = build;
  }

  static async open(kind: LineKind, terminal: Terminal): Promise<LineRounds> {
    return new LineRounds(kind, terminal, await openProgress(kind, terminal));
  }

  async begin(): Promise<void> {
    this.#build = await openProgress(this.#kind, this.#terminal);
  }

  readonly emit = (event: BuildEvent): void => this.#build.emit(event);

  built({ result: { steps }, isNew, duration }: Built): void {
    const what = isNew ? 'built' : 'built, with the same result as before,';
    const after = (duration / 1000).toFixed(2);
    this.tell(`${what} in ${after} s: ${counted(steps.cached, 'step')} cached, ${steps.ran} ran`);
  }

  failed(failures: readonly Failure[]): void {
    this.warn(buildFailuresText(failures, this.#terminal.hasColor));
  }

  tell(line: string): void {
    if (this.#kind === 'plain') this.#lines.error(`${line}\n`);
  }

  exited(what: Started, exitCode: number): void {
    const text = exitedText(what, exitCode);
    switch (this.#kind) {
      case 'plain':
        return this.tell(text);
      case 'quiet':
        // Like a build that failed.
        if (exitCode !== 0) this.warn(`${text}\n`);
        return;
      case 'rawjson':
        return this.#terminal.error(rawJsonLine({ kind: 'exited', what, exitCode }));
    }
  }

  warn(text: string): void {
    this.#lines.error(text);
  }

  rest(): void {
    this.tell(AT_REST);
  }

  interrupted(): void {
    // What comes next is not to stand behind ^C.
    if (this.#terminal.screen !== undefined) this.#terminal.error('\n');
  }

  [Symbol.dispose](): void {}
}
