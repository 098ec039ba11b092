import type { BuildRequest } from '../request.ts';
import { failuresOf } from '../failure-of.ts';
import { prepareBuild } from '../prepare.ts';
import { forecast } from '../solve/forecast.ts';
import type { StepKey } from '../solve/key.ts';

/**
 * The keys of the steps that a build which began now would run, as far as they are known before any of them has run.
 * None where it would fail.
 */
export async function neededKeys(request: BuildRequest, signal: AbortSignal): Promise<ReadonlySet<StepKey>> {
  // What others work on right now is not waited for.
  const { inFlight: _inFlight, ...alone } = request;
  try {
    await using prepared = await prepareBuild({ ...alone, signal }, () => {});
    const forecasts = [...(await forecast(prepared.graph.steps.values(), signal)).values()];
    return new Set(forecasts.flatMap((each) => (each.kind === 'miss' ? [each.key] : [])));
  } catch (error) {
    if (failuresOf(error) === undefined) throw error;
    return new Set();
  }
}
