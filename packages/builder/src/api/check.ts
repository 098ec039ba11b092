import type { CheckedDockerfile } from '../check/check-dockerfile.ts';
import type { SourceOptions } from './build-options.ts';
import { checkOptions } from './check-options.ts';
import { checkRequest } from './given/wire-request.ts';
import { checkOptions as schema } from './option-schemas.ts';
import { inThread } from './thread/caller.ts';

/**
 * Checks a Dockerfile: its errors, and what docker's rules have to say. Nothing is built; of base images only the configs
 * are looked at. Without a target, all stages are checked.
 * @throws CaissonError where there is nothing to check
 */
export async function check(options: SourceOptions): Promise<CheckedDockerfile> {
  const { request, answers } = checkRequest(checkOptions(schema, options));
  const { value } = await inThread<'check'>({ kind: 'check', request }, { signal: options.signal, answers });
  return value;
}
