import { buildError, type Failure, type FailureCode } from '../failure.ts';
import type { Place } from '../plan/planned.ts';

/**
 * What the functions of this package are rejected with, whatever did not work out: wrong options, a Dockerfile with
 * mistakes, a step that failed, an aborted signal.
 */
export class CaissonError extends Error {
  override readonly name = 'CaissonError';
  /** All that went wrong: a Dockerfile may have several mistakes. Never empty. */
  readonly failures: readonly Failure[];

  /** @param cause what the caller's own function threw, or why it aborted */
  constructor(failures: readonly Failure[], cause?: unknown) {
    super(messageOf(failures), cause === undefined ? {} : { cause });
    this.failures = failures;
  }

  /** The code of the first failure: docs/errors.md has them all. */
  get code(): FailureCode {
    return this.#first.code;
  }

  /** Where in a Dockerfile the first failure comes from. */
  get place(): Place | undefined {
    return this.#first.place;
  }

  /** What can be done about the first failure, where that is known. */
  get hint(): string | undefined {
    return this.#first.hint;
  }

  /** The step that failed. */
  get step(): Failure['step'] {
    return this.#first.step;
  }

  /** The exit code of the step that failed, where its program ended with one. */
  get exitCode(): number | undefined {
    return this.#first.exitCode;
  }

  /** The file with the whole output of the step that failed. */
  get log(): string | undefined {
    return this.#first.log;
  }

  get #first(): Failure {
    return this.failures[0] ?? { code: 'invalid-request', message: this.message };
  }
}

function messageOf(failures: readonly Failure[]): string {
  const [first, ...others] = failures;
  if (first === undefined) return 'nothing is known of what went wrong';
  const { message, place, expected, suggestion } = first;
  const at = place === undefined ? '' : `${place.path}:${place.range.start.line}: `;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return [
    `${at}${message}${more}`,
    ...(expected === undefined ? [] : [`expected: ${expected}`]),
    ...(suggestion === undefined ? [] : [`did you mean ${suggestion}?`]),
  ].join('\n');
}

/** The error of options that make no sense. */
export function optionError(
  message: string,
  details: Pick<Failure, 'expected' | 'suggestion' | 'hint'> = {},
): CaissonError {
  return new CaissonError(buildError('invalid-request', message, details).failures);
}
