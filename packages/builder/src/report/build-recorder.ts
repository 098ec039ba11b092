import type { BuildEvent, Emit, StepInfo } from '../events.ts';
import type { StepScope } from '../steps/step-scope.ts';
import type { BuildReport, ReportedStep } from './build-report.ts';
import { keptReason } from './kept-reason.ts';

/** Gathers what is worth keeping of a build, from its events on their way. */
export class BuildRecorder {
  /** Passes an event on. */
  readonly emit: Emit;
  readonly #startedAt = new Date();
  readonly #steps = new Map<number, ReportedStep>();
  #image: Pick<BuildReport, 'imageId' | 'names'> = { names: [] };

  constructor(emit: Emit) {
    this.emit = (event) => {
      this.#note(event);
      emit(event);
    };
  }

  /** Keeps the report in the store when it is disposed of, however the build ends. */
  keepIn({ store, session, dockerfile }: StepScope, target: string): AsyncDisposable {
    return {
      [Symbol.asyncDispose]: () => {
        const report: BuildReport = {
          id: session.id,
          startedAt: this.#startedAt.toISOString(),
          duration: Date.now() - this.#startedAt.getTime(),
          dockerfile,
          target,
          steps: [...this.#steps.values()],
          ...this.#image,
        };
        return store.reports.put(session, report.id, JSON.stringify(report));
      },
    };
  }

  #note(event: BuildEvent): void {
    switch (event.kind) {
      case 'planned':
        for (const { id, name, text } of event.steps) {
          this.#steps.set(id, { id, name, text, outcome: 'unreached' });
        }
        break;
      case 'step-cached':
        this.#update(event.step, { outcome: 'cached', key: event.key });
        break;
      case 'step-started': {
        const { key, record, reason } = event;
        // Until it is done: a build that is ended in the middle of it says so.
        this.#update(event.step, { outcome: 'failed', key, record, reason: keptReason(reason) });
        break;
      }
      case 'step-done':
        this.#update(event.step, { outcome: 'ran', duration: event.duration });
        break;
      case 'step-failed':
        this.#update(event.step, { outcome: 'failed', duration: event.duration });
        break;
      case 'image':
        this.#image = { imageId: event.id, names: event.names };
        break;
      default:
    }
  }

  #update({ id, name, text }: StepInfo, news: Partial<ReportedStep>): void {
    this.#steps.set(id, { outcome: 'unreached', ...this.#steps.get(id), id, name, text, ...news });
  }
}
