import type { BuildEvent, Emit, StepInfo } from '@caisson/builder';
import { buildFailuresText, warningText } from '../../failure-text.ts';
import type { Terminal } from '../../terminal.ts';
import { FarLines } from '../far-lines.ts';
import type { LineSplitter } from '../line-splitter.ts';
import { otherLine, stepLine, stepOutput, stepTitle } from '../plain-lines.ts';
import type { Ended, Progress } from '../progress.ts';
import { StepTally } from '../step-tally.ts';
import type { CiFormat, Fold } from './ci-format.ts';
import { OrderedBlocks, type Block } from './ordered-blocks.ts';

type Output = Pick<Terminal, 'error' | 'hasColor'>;

/**
 * Plain lines in which the output of each step that ran is folded up. Of steps that run side by side the one that began
 * first is told as it goes on, the others after it: so the lines of a step stay together.
 */
export class CiProgress implements Progress {
  readonly #terminal: Output;
  readonly #format: CiFormat;
  readonly #begunAt = performance.now();
  readonly #blocks: OrderedBlocks;
  readonly #steps = new Map<number, RunningStep>();
  readonly #far = new FarLines();
  readonly #tally = new StepTally();

  constructor(terminal: Output, format: CiFormat) {
    this.#terminal = terminal;
    this.#format = format;
    this.#blocks = new OrderedBlocks((text) => terminal.error(text));
  }

  readonly emit: Emit = (event: BuildEvent): void => {
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
        if (line === undefined) return undefined;
        if (event.kind !== 'step-copying') return this.#tell(`${line}\n`);
        return this.#steps.get(event.step.id)?.block.add(`${line}\n`);
      }
      case 'step-cached':
        return this.#tell(`${stepTitle(event.step)} (cached)\n`);
      case 'step-started':
        return this.#begin(event.step, stepLine(event));
      case 'step-output':
        return this.#steps.get(event.step.id)?.output.push(event.data);
      case 'step-done':
      case 'step-failed':
      case 'step-cancelled':
        return this.#end(event.step, stepLine(event));
      case 'warning':
        return this.#tell(
          warningText(event, this.#terminal.hasColor),
          this.#format.annotation('warning', event),
        );
      case 'failed': {
        const marks = event.failures.map((failure) => this.#format.annotation('error', failure));
        return this.#tell(buildFailuresText(event.failures, this.#terminal.hasColor), marks.join(''));
      }
      default:
        return this.#tell(`${otherLine(event)}\n`);
    }
  };

  finish(ended: Ended): void {
    for (const { step } of this.#steps.values()) this.#end(step, `#${step.id} ended`);
    const took = performance.now() - this.#begunAt;
    if (ended === 'built') this.#tell(`${this.#tally.summary(ended, took)}\n`);
    this.#blocks.flush();
  }

  #begin(step: StepInfo, line: string): void {
    const block = this.#blocks.open();
    const output = stepOutput(step, (text) => block.add(`${text}\n`));
    const fold = this.#format.fold(stepTitle(step));
    this.#steps.set(step.id, { step, block, output, fold });
    block.add(`${fold.begin}${line}\n`);
  }

  #end({ id }: StepInfo, line: string): void {
    const running = this.#steps.get(id);
    if (running === undefined) return;
    this.#steps.delete(id);
    running.output.end();
    // What became of it stands below what is folded up.
    running.block.add(`${running.fold.end}${line}\n`);
    running.block.close();
  }

  #tell(text: string, annotations = ''): void {
    const block = this.#blocks.open();
    block.add(this.#format.inert(text) + annotations);
    block.close();
  }
}

interface RunningStep {
  readonly step: StepInfo;
  readonly block: Block;
  readonly output: LineSplitter;
  readonly fold: Fold;
}
