import type { BuildEvent, Emit } from './events.ts';
import type { BuildResult } from './result.ts';

/** Counts what the result of a build tells of, from the events on their way. */
export class StepCounter {
  /** Passes an event on. */
  readonly emit: Emit;
  /** How each step went, the last time where it was solved again. */
  readonly #outcomes = new Map<number, 'cached' | 'ran'>();
  #isolation: BuildResult['isolation'];

  constructor(emit: Emit) {
    this.emit = (event) => {
      if (this.#isNews(event)) emit(event);
    };
  }

  get steps(): BuildResult['steps'] {
    const outcomes = [...this.#outcomes.values()];
    const cached = outcomes.filter((outcome) => outcome === 'cached').length;
    return { cached, ran: outcomes.length - cached };
  }

  get isolation(): BuildResult['isolation'] {
    return this.#isolation;
  }

  /** Counts; what runs the steps is told once, not a step. */
  #isNews(event: BuildEvent): boolean {
    if (event.kind === 'step-cached') this.#outcomes.set(event.step.id, 'cached');
    if (event.kind === 'step-done') this.#outcomes.set(event.step.id, 'ran');
    if (event.kind !== 'isolation') return true;
    const { runtime, network } = event;
    const before = this.#isolation;
    if (before?.runtime === runtime && (before.network === 'host' || network === 'none')) return false;
    this.#isolation = { runtime, network };
    return true;
  }
}
