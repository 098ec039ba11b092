import type { BuildEvent, Emit, StepInfo } from '../events.ts';
import type { StepScope } from '../steps/step-scope.ts';
import type { BuildOutcome, BuildReport, ReportedStep } from './build-report.ts';
import type { BuildRequest } from '../request.ts';
import { contextTitle } from './context-title.ts';
import { keptReason } from './kept-reason.ts';
import { StepLogs } from './step-logs.ts';

/** Gathers what is worth keeping of a build, from its events on their way. */
export class BuildRecorder {
  /** Passes an event on. */
  readonly emit: Emit;
  readonly #request: Pick<BuildRequest, 'context' | 'cwd' | 'signal'>;
  readonly #emitOn: Emit;
  readonly #startedAt = new Date();
  readonly #steps = new Map<number, ReportedStep>();
  #image: Pick<BuildReport, 'imageId' | 'size' | 'names'>;
  #logs: StepLogs | undefined;
  #isBuilt = false;

  /** @param request what is built, with the full names that the image is to have */
  constructor(
    request: Pick<BuildRequest, 'context' | 'cwd' | 'signal'>,
    names: readonly string[],
    emit: Emit,
  ) {
    this.#request = request;
    this.#image = { names };
    this.#emitOn = emit;
    this.emit = (event) => {
      this.#note(event);
      emit(event);
    };
  }

  /** Says that the build came to its end. */
  built(): void {
    this.#isBuilt = true;
  }

  /**
   * Keeps the logs, and the report: as it is now, and as it is when this is disposed of, however the build ends.
   * @param isWanted asked then: whether anybody will want to read it
   */
  keepIn(
    { store, session, dockerfile }: StepScope,
    target: string,
    isWanted: () => boolean = () => true,
  ): AsyncDisposable {
    const logs = new StepLogs(store.logs.writer(session), this.#emitOn);
    this.#logs = logs;
    const context = contextTitle(this.#request);
    const report = (): BuildReport => ({
      id: session.id,
      startedAt: this.#startedAt.toISOString(),
      duration: 0,
      ...(context === undefined ? {} : { context }),
      dockerfile,
      target,
      steps: [...this.#steps.values()],
      ...this.#image,
    });
    // Nothing waits for it; whoever disposes of this hears of it.
    const begun = Promise.allSettled([store.reports.begin(session, JSON.stringify(report()))]);
    return {
      [Symbol.asyncDispose]: async () => {
        logs[Symbol.dispose]();
        await begun;
        if (!isWanted()) return store.reports.drop(session);
        const duration = Date.now() - this.#startedAt.getTime();
        const ended: BuildReport = { ...report(), duration, result: this.#outcome() };
        await store.reports.end(session, JSON.stringify(ended));
      },
    };
  }

  #outcome(): BuildOutcome {
    if (this.#isBuilt) return 'built';
    return this.#request.signal?.aborted === true ? 'cancelled' : 'failed';
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
        this.#update(event.step, { outcome: 'cancelled', key, record, reason: keptReason(reason) });
        break;
      }
      case 'step-output':
        this.#logs?.write(event.step.id, event.data);
        break;
      case 'step-done':
        this.#logs?.end(event.step.id);
        this.#update(event.step, { outcome: 'ran', duration: event.duration });
        break;
      case 'step-failed':
        this.#logs?.end(event.step.id);
        this.#update(event.step, { outcome: 'failed', duration: event.duration });
        break;
      case 'step-cancelled':
        this.#logs?.end(event.step.id);
        this.#update(event.step, { outcome: 'cancelled', duration: event.duration });
        break;
      case 'image':
        this.#image = { imageId: event.id, size: event.size, names: event.names };
        break;
      case 'index':
        // Without a size: no image is compared with several.
        this.#image = { imageId: event.digest, names: event.names };
        break;
      default:
    }
  }

  #update({ id, name, text }: StepInfo, news: Partial<ReportedStep>): void {
    this.#steps.set(id, { outcome: 'unreached', ...this.#steps.get(id), id, name, text, ...news });
  }
}
