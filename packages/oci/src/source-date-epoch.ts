import { err, ok, type Result } from './result.ts';

/** The last second that a date in an image can have: the end of the year 9999. */
const END = 253_402_300_799;

/** What is wrong with a text that should be a time. */
export interface EpochProblem {
  readonly message: string;
  readonly expected: string;
}

/**
 * Reads SOURCE_DATE_EPOCH, the latest time that a build may write.
 * @returns seconds since 1970
 * @see https://reproducible-builds.org/docs/source-date-epoch/
 */
export function parseSourceDateEpoch(text: string): Result<number, EpochProblem> {
  const seconds = Number(text);
  if (/^\d{1,15}$/.test(text) && seconds <= END) return ok(seconds);
  return err({
    message: `SOURCE_DATE_EPOCH ${JSON.stringify(text)} is no time`,
    expected: 'seconds since 1970, for example 1700000000',
  });
}
