import type { BuildEvent, MissReason } from '@caisson/builder';
import { reasonText } from './reason-text.ts';
import { counted, countsText, seconds } from './format.ts';
import type { Ended } from './progress.ts';

/** How many reasons a summary tells: who wants all of them asks `caisson explain`. */
const MOST_REASONS = 5;

/** What becomes of a step. */
type StepOutcome = 'cached' | 'ran' | 'failed' | 'cancelled';

/** Counts what became of the steps of a build, and tells it. */
export class StepTally {
  readonly #outcomes = new Map<number, StepOutcome>();
  readonly #reasons = new Map<number, MissReason>();
  #planned = 0;

  note(event: BuildEvent): void {
    switch (event.kind) {
      case 'planned':
        this.#planned = event.steps.length;
        break;
      case 'step-cached':
        this.#outcomes.set(event.step.id, 'cached');
        this.#reasons.delete(event.step.id);
        break;
      case 'step-started':
        this.#reasons.set(event.step.id, event.reason);
        break;
      case 'step-done':
        this.#outcomes.set(event.step.id, 'ran');
        break;
      case 'step-failed':
        this.#outcomes.set(event.step.id, 'failed');
        break;
      case 'step-cancelled':
        this.#outcomes.set(event.step.id, 'cancelled');
        break;
      default:
    }
  }

  /** How many steps the target needs. */
  get planned(): number {
    return this.#planned;
  }

  count(outcome: StepOutcome): number {
    return [...this.#outcomes.values()].filter((each) => each === outcome).length;
  }

  /** `built in 0.3 s: 4 steps cached, 2 ran` */
  summary(ended: Ended, milliseconds: number): string {
    const took = seconds(milliseconds);
    const [cached, ran] = [this.count('cached'), this.count('ran')];
    const [failed, cancelled] = [this.count('failed'), this.count('cancelled')];
    const steps = countsText({ cached, ran, failed, cancelled }, counted(cached, 'step'));
    if (ended === 'built') return `built in ${took}: ${steps}`;
    return `${ended === 'failed' ? 'failed' : 'cancelled'} after ${took}: ${steps}`;
  }

  /** Why steps ran, those that ran for the same reason in one line: `#1-#3, #5: no earlier record`. */
  reasons(): string[] {
    const byText = Map.groupBy(this.#reasons, ([, reason]) => reasonText(reason));
    const lines = [...byText].map(([text, steps]) => `${ranges(steps.map(([id]) => id))}: ${text}`);
    const more = lines.length - MOST_REASONS;
    if (more <= 1) return lines;
    return [...lines.slice(0, MOST_REASONS), `and ${more} more: caisson explain`];
  }
}

/** `#1-#3, #5` */
function ranges(numbers: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => (first === last ? `#${first}` : `#${first}-#${last}`)).join(', ');
}
