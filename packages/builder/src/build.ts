import { familiarName, formatReference, parseReference, err, ok, type Result } from '@caisson/oci';
import { assembleImage } from './image/assemble-image.ts';
import { storeImage } from './image/store-image.ts';
import type { Emit } from './events.ts';
import { buildError, type Failure } from './failure.ts';
import { failuresOf } from './failure-of.ts';
import { writeOutputs } from './outputs/write-outputs.ts';
import type { PlannedStage } from './plan/planned.ts';
import { planBuild } from './plan/plan-build.ts';
import { platformsOf } from './platforms.ts';
import { sourceDateEpoch } from './source-date-epoch.ts';
import { BuildClock } from './build-clock.ts';
import type { BuildRequest, Entitlement } from './request.ts';
import type { BuildResult } from './result.ts';
import { Solver } from './solve/solver.ts';
import type { FileState } from './state.ts';
import { nameSteps } from './steps/step-names.ts';
import { StepGraph } from './steps/step-graph.ts';
import { StepCounter } from './step-counter.ts';
import { openWorkshop } from './workshop.ts';

/**
 * Builds an image from a Dockerfile and its context. This is the straight line of docs/architecture.md: each arrow
 * there is a call here.
 * @param emit told of everything that happens
 * @returns the image; or everything that went wrong
 */
export async function build(
  request: BuildRequest,
  emit: Emit = () => {},
): Promise<Result<BuildResult, readonly Failure[]>> {
  try {
    return ok(await buildImage(request, emit));
  } catch (error) {
    const failures = failuresOf(error);
    if (failures === undefined) throw error;
    emit({ kind: 'failed', failures });
    return err(failures);
  }
}

async function buildImage(request: BuildRequest, emitAll: Emit): Promise<BuildResult> {
  const counter = new StepCounter(emitAll);
  const { emit } = counter;
  const names = fullNames(request.names ?? []);
  const platforms = platformsOf(request.platform);

  const { sourceDateEpoch: epoch, buildArgs } = sourceDateEpoch(request);

  await using workshop = await openWorkshop(request, { clock: new BuildClock(epoch), emit });
  const { scope, source, contexts, bases, layers } = workshop;
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
    emit,
  });
  contexts.warnOfUnused(emit);
  const target = withLabels(planned, request.labels ?? {});
  const steps = nameSteps(target);
  emit({ kind: 'planned', target: target.title, steps: [...steps.values()] });
  const graph = new StepGraph(scope, steps, target);
  const state = await new Solver<FileState>({ jobs: workshop.jobs, ...workshop.cancel }).solve(
    graph.endOf(target),
  );
  source.context.save();
  contexts.save();

  const image = assembleImage(target, state, scope.clock);
  await storeImage(scope.store, scope.session, image, state, names, layers);
  const imageId = image.manifest.config.digest;
  emit({ kind: 'image', id: imageId, names });
  const finished = {
    ...image,
    names,
    state,
    store: scope.store,
    session: scope.session,
    chains: scope.chains,
  };
  await writeOutputs(finished, request.outputs ?? [], emit, request.signal);
  const { descriptor: manifest, config } = image;
  return { imageId, manifest, config, names, steps: counter.steps, isolation: counter.isolation };
}

const HOST_NETWORK: readonly Entitlement[] = ['network.host'];

/** Labels of the command line come last, and leave no line in the history. */
function withLabels(stage: PlannedStage, labels: Readonly<Record<string, string>>): PlannedStage {
  if (Object.keys(labels).length === 0) return stage;
  return { ...stage, config: { ...stage.config, Labels: { ...stage.config.Labels, ...labels } } };
}

function fullNames(names: readonly string[]): string[] {
  return names.map((name) => {
    const reference = parseReference(name);
    if (!reference.ok) throw buildError('invalid-request', `the name for the image: ${reference.error}`);
    if (reference.value.digest !== undefined) {
      throw buildError(
        'invalid-request',
        `the name for the image has a digest: ${familiarName(reference.value)}`,
        {
          expected: 'NAME[:TAG]',
        },
      );
    }
    return formatReference(reference.value);
  });
}
