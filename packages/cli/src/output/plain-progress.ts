import type { BuildEvent } from '@caisson/builder';
import { buildFailuresText, warningText } from '../failure-text.ts';
import type { Terminal } from '../terminal.ts';
import { FarLines } from './far-lines.ts';
import type { LineSplitter } from './line-splitter.ts';
import { otherLine, stepLine, stepOutput, stepTitle } from './plain-lines.ts';
import type { Ended, Progress } from './progress.ts';
import { StepTally } from './step-tally.ts';

type Output = Pick<Terminal, 'error' | 'hasColor'>;

/**
 * Progress as lines, one after another, for logs: each begins with the number of its step. It is written to the
 * standard error, so that what a program wants is alone on the standard output.
 */
export class PlainProgress implements Progress {
  readonly #terminal: Output;
  readonly #begunAt = performance.now();
  readonly #outputs = new Map<number, LineSplitter>();
  readonly #far = new FarLines();
  readonly #tally = new StepTally();

  constructor(terminal: Output) {
    this.#terminal = terminal;
  }

  readonly emit = (event: BuildEvent): void => {
    this.#tally.note(event);
    switch (event.kind) {
      case 'planned':
        return undefined;
      case 'compress':
      case 'download':
      case 'fetch':
      case 'git':
      case 'read':
      case 'send':
      case 'walk':
      case 'step-copying': {
        const line = this.#far.line(event);
        return line === undefined ? undefined : this.#tell(line);
      }
      case 'step-cached':
        return this.#tell(`${stepTitle(event.step)}\n${stepLine(event)}`);
      case 'step-started':
        this.#outputs.set(
          event.step.id,
          stepOutput(event.step, (line) => this.#tell(line)),
        );
        return this.#tell(`${stepTitle(event.step)}\n${stepLine(event)}`);
      case 'step-output':
        return this.#outputs.get(event.step.id)?.push(event.data);
      case 'step-done':
      case 'step-failed':
      case 'step-cancelled':
        this.#outputs.get(event.step.id)?.end();
        return this.#tell(stepLine(event));
      case 'warning':
        return this.#terminal.error(warningText(event, this.#terminal.hasColor));
      case 'failed':
        return this.#terminal.error(buildFailuresText(event.failures, this.#terminal.hasColor));
      default:
        return this.#tell(otherLine(event));
    }
  };

  finish(ended: Ended): void {
    if (ended === 'built') this.#tell(this.#tally.summary(ended, performance.now() - this.#begunAt));
  }

  #tell(line: string): void {
    this.#terminal.error(`${line}\n`);
  }
}
