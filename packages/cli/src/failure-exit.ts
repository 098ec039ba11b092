import type { Failure, FailureCode } from '@caisson/builder';
import { EXIT } from './exit-codes.ts';

/** What is wrong with what was asked for, and not with what was found where it is. */
const WRONG_REQUESTS: ReadonlySet<FailureCode> = new Set([
  'invalid-request',
  'no-dockerfile',
  'unknown-target',
]);

/** How `caisson` ends when a build or a check failed. */
export function exitOf(failures: readonly Failure[]): number {
  return failures.every(({ code }) => WRONG_REQUESTS.has(code)) ? EXIT.usage : EXIT.failed;
}
