import type { BuildEvent, Emit } from './events.ts';
import type { BuildResult } from './result.ts';

/** Counts what the result of a build tells of, from the events on their way. */
export class StepCounter {
  /** Passes an event on. */
  readonly emit: Emit;
  #cached = 0;
  #ran = 0;
  #isolation: BuildResult['isolation'];

  constructor(emit: Emit) {
    this.emit = (event) => {
      if (this.#isNews(event)) emit(event);
    };
  }

  get steps(): BuildResult['steps'] {
    return { cached: this.#cached, ran: this.#ran };
  }

  get isolation(): BuildResult['isolation'] {
    return this.#isolation;
  }

  /** Counts; what runs the steps is told once, not a step. */
  #isNews(event: BuildEvent): boolean {
    if (event.kind === 'step-cached') this.#cached++;
    if (event.kind === 'step-done') this.#ran++;
    if (event.kind !== 'isolation') return true;
    const { runtime, network } = event;
    const before = this.#isolation;
    if (before?.runtime === runtime && (before.network === 'host' || network === 'none')) return false;
    this.#isolation = { runtime, network };
    return true;
  }
}
