import { parseSourceDateEpoch } from '@caisson/oci';
import { buildError } from './failure.ts';
import type { BuildRequest } from './request.ts';

const NAME = 'SOURCE_DATE_EPOCH';

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
  const parsed = parseSourceDateEpoch(text);
  if (parsed.ok) return { sourceDateEpoch: parsed.value, buildArgs: args.set(NAME, text) };
  const { message, expected } = parsed.error;
  throw buildError('invalid-request', message, { expected });
}
