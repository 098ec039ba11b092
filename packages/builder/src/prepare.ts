import type { Emit, StepInfo } from './events.ts';
import { BuildClock } from './build-clock.ts';
import { buildError } from './failure.ts';
import type { PlannedStage, PlannedStep } from './plan/planned.ts';
import { stagesOf } from './plan/planned-stages.ts';
import { planBuild, type PlannedTarget } from './plan/plan-build.ts';
import { allPlatformsOf } from './platforms.ts';
import { sourceDateEpoch } from './source-date-epoch.ts';
import type { BuildRequest, Entitlement } from './request.ts';
import type { Site } from './site.ts';
import { warnOfUnknownStages } from './steps/no-cache.ts';
import { StepGraph } from './steps/step-graph.ts';
import { nameSteps } from './steps/step-names.ts';
import type { Workshop } from './workshop.ts';
import { openWorkshop } from './workshop.ts';

/** A build up to the point where something would be run. Disposing of it ends it. */
export interface PreparedBuild extends AsyncDisposable {
  readonly workshop: Workshop;
  /** One a platform that is built for. */
  readonly targets: readonly PlannedTarget[];
  /** All that the targets need, each behind those that it needs. */
  readonly stages: readonly PlannedStage[];
  /** What people call the stage that is built. */
  readonly title: string;
  readonly steps: ReadonlyMap<PlannedStep, StepInfo>;
  readonly graph: StepGraph;
}

/**
 * Reads the Dockerfile, plans the target, and makes the step graph.
 * @param site what it has of the builds before it
 * @throws BuildError, StoreError, RegistryError
 */
export async function prepareBuild(request: BuildRequest, emit: Emit, site?: Site): Promise<PreparedBuild> {
  const platforms = allPlatformsOf(request.platforms);
  const { sourceDateEpoch: epoch, buildArgs } = sourceDateEpoch(request);
  await using stack = new AsyncDisposableStack();
  const workshop = stack.use(await openWorkshop(request, { clock: new BuildClock(epoch), emit, site }));
  const { scope, source, contexts, bases } = workshop;
  const planned = await planBuild(source.path, source.text, {
    target: request.target,
    buildArgs,
    network: request.network ?? 'host',
    // As with docker, a build on the host's network allows its steps that.
    allow: new Set([...(request.allow ?? []), ...(request.network === 'host' ? HOST_NETWORK : [])]),
    platforms,
    context: source.context,
    openContext: (name, platform, place) => contexts.open(name, platform, place),
    resolveImage: (name, platform, place) => bases.resolve(name, platform, place),
    onNames: (names) => contexts.warnOfUnused(names, emit),
    emit,
  });
  const targets = planned.map((target) => withLabels(target, request.labels ?? {}));
  for (const { stage } of targets) checkNames(stage);
  const stages = stagesOf(...targets.map(({ stage }) => stage));
  warnOfUnknownStages(request, stages, emit);
  const steps = nameSteps(targets);
  const title = [...new Set(targets.map(({ stage }) => stage.title))].join(', ');
  emit({ kind: 'planned', target: title, steps: [...steps.values()] });
  const graph = new StepGraph(scope, steps, stages);
  const open = stack.move();
  return { workshop, targets, stages, title, steps, graph, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

const HOST_NETWORK: readonly Entitlement[] = ['network.host'];

/**
 * No config of ours has a member of this name: readers in JavaScript take it for something else, so none is read either.
 * @throws BuildError `invalid-request`
 */
function checkNames({ config: { Labels, Volumes } }: PlannedStage): void {
  for (const [what, names] of Object.entries({ label: Labels, volume: Volumes }))
    if (Object.hasOwn(names ?? {}, '__proto__'))
      throw buildError('invalid-request', `a ${what} cannot be called "__proto__"`);
}

/** Labels of the command line come last, and leave no line in the history. */
function withLabels(target: PlannedTarget, labels: Readonly<Record<string, string>>): PlannedTarget {
  if (Object.keys(labels).length === 0) return target;
  const { stage } = target;
  const config = { ...stage.config, Labels: { ...stage.config.Labels, ...labels } };
  return { ...target, stage: { ...stage, config } };
}
