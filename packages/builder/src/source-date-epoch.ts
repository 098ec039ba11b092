import { buildError } from './failure.ts';
import type { BuildRequest } from './request.ts';

const NAME = 'SOURCE_DATE_EPOCH';

/** The last second that a date in an image can have: the end of the year 9999. */
const END = 253_402_300_799;

/**
 * The latest time that a build may write, and the build args, of which it is one: as with docker, a stage sees it where
 * `ARG SOURCE_DATE_EPOCH` asks for it.
 * @throws BuildError `invalid-request`
 */
export function sourceDateEpoch({
  sourceDateEpoch: given,
  buildArgs = {},
}: Pick<BuildRequest, 'sourceDateEpoch' | 'buildArgs'>): {
  readonly sourceDateEpoch: number | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
} {
  const args = new Map(Object.entries(buildArgs));
  const text = args.get(NAME) ?? (given === undefined ? '' : String(given));
  if (text === '') return { sourceDateEpoch: undefined, buildArgs: args };
  const seconds = Number(text);
  if (!/^\d{1,15}$/.test(text) || seconds > END) {
    throw buildError('invalid-request', `${NAME} ${JSON.stringify(text)} is no time`, {
      expected: 'seconds since 1970, for example 1700000000',
    });
  }
  return { sourceDateEpoch: seconds, buildArgs: args.set(NAME, text) };
}
