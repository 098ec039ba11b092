import { err, ok, type Result } from '@caisson/oci';
import type { Emit, StepInfo } from './events.ts';
import type { MissReason } from './solve/miss-reason.ts';
import type { Failure } from './failure.ts';
import { whyNoPrograms } from './foreign-programs.ts';
import { failuresOf } from './failure-of.ts';
import { prepareBuild, type PreparedBuild } from './prepare.ts';
import type { BuildRequest } from './request.ts';
import { forecast, type Forecast } from './solve/forecast.ts';
import type { StepKey } from './solve/key.ts';
import type { Op } from './solve/op.ts';
import type { FileState } from './state.ts';
import { StepOp } from './steps/step-op.ts';

/** What a build would do. */
export interface BuildPlan {
  readonly target: string;
  readonly steps: readonly StepForecast[];
}

/** What a build would do for a step. */
export interface StepForecast {
  readonly step: StepInfo;
  /** The ids of the steps whose results it works on. */
  readonly needs: readonly number[];
  readonly outcome:
    | { readonly kind: 'hit'; readonly key: StepKey }
    | { readonly kind: 'will-run'; readonly reason: MissReason }
    /** What it depends on is not known before these have run, by id. */
    | { readonly kind: 'open'; readonly behind: readonly number[] };
}

/**
 * Says what a build would do, without running a step. What it must look at is looked at: the context is hashed, and
 * base images are fetched where a step takes files from them that are not yet known.
 */
export async function plan(
  request: BuildRequest,
  emit: Emit = () => {},
): Promise<Result<BuildPlan, readonly Failure[]>> {
  try {
    return ok(await planSteps(request, emit));
  } catch (error) {
    const failures = failuresOf(error);
    if (failures === undefined) throw error;
    emit({ kind: 'failed', failures });
    return err(failures);
  }
}

async function planSteps(request: BuildRequest, emit: Emit): Promise<BuildPlan> {
  await using prepared = await prepareBuild(request, emit);
  const { workshop, title, steps, graph } = prepared;
  const signal = workshop.cancel.signal ?? new AbortController().signal;
  const forecasts = await forecast(graph.steps.values(), signal);
  workshop.source.context.save();
  workshop.contexts.save();
  const planned = [...graph.steps].flatMap(([step, op]): StepForecast[] => {
    const info = steps.get(step);
    const found = forecasts.get(op);
    if (info === undefined || found === undefined || found.kind === 'given') return [];
    return [{ step: info, needs: needsOf(op), outcome: outcomeOf(found, info, forecasts) }];
  });
  warnOfForeignPrograms(prepared, planned, emit);
  return { target: title, steps: planned };
}

/** Tells of the first step of each platform that would fail, since its programs cannot be run here. */
function warnOfForeignPrograms(
  { stages, steps }: PreparedBuild,
  planned: readonly StepForecast[],
  emit: Emit,
): void {
  const hits = new Set(planned.flatMap(({ step, outcome }) => (outcome.kind === 'hit' ? [step.id] : [])));
  const told = new Set<string>();
  for (const stage of stages) {
    const failing = stage.steps.find((step) => step.kind === 'run' && !hits.has(steps.get(step)?.id ?? 0));
    const why = failing === undefined ? undefined : whyNoPrograms(stage.platform);
    if (failing === undefined || why === undefined || told.has(why.message)) continue;
    told.add(why.message);
    emit({ kind: 'warning', ...why, place: failing.place });
  }
}

function outcomeOf(
  found: Exclude<Forecast<FileState>, { kind: 'given' }>,
  { id }: StepInfo,
  forecasts: ReadonlyMap<Op<FileState>, Forecast<FileState>>,
): StepForecast['outcome'] {
  switch (found.kind) {
    case 'hit':
      return { kind: 'hit', key: found.key };
    case 'miss':
      return { kind: 'will-run', reason: found.reason };
    case 'open': {
      const behind = idsOf(found.behind);
      const [own] = found.behind;
      const part = own === undefined ? undefined : forecasts.get(own);
      // All that it waits for is a copy that is made for a mount of its own.
      if (behind.every((each) => each === id) && part?.kind === 'miss')
        return { kind: 'will-run', reason: part.reason };
      return { kind: 'open', behind: behind.filter((each) => each !== id) };
    }
  }
}

/** The steps that an op works on; a copy that is made for a mount of its own is part of it. */
function needsOf(op: Op<FileState>): number[] {
  const own = idOf(op);
  const ids = op.inputs.flatMap((input) => (idOf(input) === own ? needsOf(input) : idsOf([input])));
  return [...new Set(ids)].toSorted((a, b) => a - b);
}

function idsOf(ops: Iterable<Op<FileState>>): number[] {
  const ids = [...ops].map(idOf).filter((id) => id !== undefined);
  return [...new Set(ids)].toSorted((a, b) => a - b);
}

function idOf(op: Op<FileState>): number | undefined {
  return op instanceof StepOp ? op.id : undefined;
}
