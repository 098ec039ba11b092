import type { Diagnostic, Dockerfile } from '@caisson/parser';
import type { Failure } from '../failure.ts';
import type { Place } from './planned.ts';

/** An error of a Dockerfile as a failure. */
export function failureOf({ code, message, expected, suggestion, hint }: Diagnostic, place: Place): Failure {
  return {
    code,
    message,
    place,
    ...(expected === undefined ? {} : { expected }),
    ...(suggestion === undefined ? {} : { suggestion }),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** Errors of a Dockerfile as failures. */
export function failuresIn({ path, source }: Dockerfile, errors: readonly Diagnostic[]): Failure[] {
  return errors.map((error) => failureOf(error, { path, source, range: error.range }));
}

/** Failures as they follow one another in a file; those that stand elsewhere come last. */
export function inFileOrder({ source }: Dockerfile, failures: readonly Failure[]): Failure[] {
  const offset = ({ place }: Failure): number =>
    place?.source === source ? place.range.start.offset : Number.MAX_SAFE_INTEGER;
  return failures.toSorted((a, b) => offset(a) - offset(b));
}
