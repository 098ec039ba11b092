import type { BuildEvent, Emit, StepInfo } from '@caisson/builder';
import type { Failure, Warning } from '@caisson/builder';
import { inertJson } from './ci/inert-json.ts';
import type { Terminal } from '../terminal.ts';
import type { Ended, Progress } from './progress.ts';

/** One JSON object a line, for programs. docs/progress.md says what is in them; members are added, never changed. */
export class RawJsonProgress implements Progress {
  readonly #terminal: Pick<Terminal, 'error'>;
  readonly #begunAt = performance.now();

  constructor(terminal: Pick<Terminal, 'error'>) {
    this.#terminal = terminal;
  }

  readonly emit: Emit = (event: BuildEvent): void => this.#tell(valuesOf(event));

  finish(ended: Ended): void {
    this.#tell({ kind: 'ended', result: ended, duration: Math.round(performance.now() - this.#begunAt) });
  }

  #tell(values: Values): void {
    this.#terminal.error(rawJsonLine(values));
  }
}

type Values = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** A line of it, with the time of this moment. */
export function rawJsonLine(values: Values): string {
  return `${inertJson({ time: new Date().toISOString(), ...values })}\n`;
}

function valuesOf(event: BuildEvent): Values {
  switch (event.kind) {
    case 'planned':
      return { ...event, steps: event.steps.map(stepValues) };
    case 'step-started': {
      // The key record is what `caisson explain --format json` has.
      const { record: _record, ...rest } = event;
      return { ...rest, step: stepValues(event.step) };
    }
    case 'step-output':
      return {
        ...event,
        step: stepValues(event.step),
        data: Buffer.from(event.data).toString('base64'),
      };
    case 'step-cached':
      return { ...event, step: stepValues(event.step) };
    case 'step-done':
    case 'step-failed':
    case 'step-cancelled':
    case 'step-copying':
      return { ...event, step: stepValues(event.step), duration: Math.round(event.duration) };
    case 'warning':
      return { ...event, ...placeValues(event) };
    case 'failed':
      return {
        ...event,
        failures: event.failures.map((failure) => ({ ...failure, ...placeValues(failure) })),
      };
    case 'read':
    case 'walk':
      return { ...event, duration: Math.round(event.duration) };
    case 'download':
    case 'git':
      return { ...event };
    default:
      return event;
  }
}

function stepValues({ place, ...step }: StepInfo): object {
  return { ...step, place: { path: place.path, line: place.range.start.line } };
}

/** The text of the Dockerfile is left out of a place. */
function placeValues({ place }: Failure | Warning): object {
  if (place === undefined) return {};
  const { start, end } = place.range;
  return { place: { path: place.path, line: start.line, endLine: end.line } };
}
