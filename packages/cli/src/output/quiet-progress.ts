import type { BuildEvent } from '@caisson/builder';
import { buildFailuresText, warningText } from '../failure-text.ts';
import type { Terminal } from '../terminal.ts';
import type { Progress } from './progress.ts';

/** Warnings and failures only, and none of the lint. */
export class QuietProgress implements Progress {
  readonly #terminal: Pick<Terminal, 'error' | 'hasColor'>;

  constructor(terminal: Pick<Terminal, 'error' | 'hasColor'>) {
    this.#terminal = terminal;
  }

  readonly emit = (event: BuildEvent): void => {
    const { error, hasColor } = this.#terminal;
    if (event.kind === 'warning' && event.rule === undefined) error(warningText(event, hasColor));
    if (event.kind === 'failed') error(buildFailuresText(event.failures, hasColor));
  };

  finish(): void {}
}
