import type { BuildPlan } from '../plan-steps.ts';
import type { PlanOptions } from './build-options.ts';
import { checkOptions } from './check-options.ts';
import { planRequest } from './given/wire-request.ts';
import { planOptions } from './option-schemas.ts';
import { inThread } from './thread/caller.ts';

/**
 * Says what a build would do, without running a step: which steps the cache has, which will run and why, and which depend
 * on those.
 * @throws CaissonError
 */
export async function plan(options: PlanOptions): Promise<BuildPlan> {
  const { request, answers } = planRequest(checkOptions(planOptions, options));
  const { value } = await inThread<'plan'>({ kind: 'plan', request }, { signal: options.signal, answers });
  return value;
}
