import {
  familiarName,
  formatReference,
  parseReference,
  err,
  ok,
  type Digest,
  type Result,
} from '@caisson/oci';
import { deliver, type Delivered, type SolvedTarget } from './deliver.ts';
import { checkDestinations } from './outputs/check-destinations.ts';
import { checkPlatforms } from './outputs/check-platforms.ts';
import type { Emit } from './events.ts';
import { buildError, type Failure } from './failure.ts';
import { failuresOf } from './failure-of.ts';
import { limitCacheSize } from './limit-cache-size.ts';
import { LostLayer } from './cache/imported-cache.ts';
import { prepareBuild, type PreparedBuild } from './prepare.ts';
import { beginAhead } from './steps/begin-ahead.ts';
import { InFlight } from './steps/in-flight.ts';
import { StepGraph } from './steps/step-graph.ts';
import { BuildRecorder } from './report/build-recorder.ts';
import type { BuildRequest } from './request.ts';
import type { BuildResult } from './result.ts';
import type { Site } from './site.ts';
import { Solver } from './solve/solver.ts';
import type { FileState, StateLayer } from './state.ts';
import { StepCounter } from './step-counter.ts';

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

/** What a watch does in the middle of its builds. */
export interface BuildHooks {
  /** What it has of the builds before it. */
  readonly site?: Site;
  /** It is known what is to be built; nothing of the contexts was looked at, but for what the plan needs. */
  readonly onPrepared?: (prepared: PreparedBuild) => Promise<void>;
  readonly onSolve?: (solver: Solver<FileState>) => void;
  /** Whether the outputs of an image are written and registries have it, from an earlier build. */
  readonly isDelivered?: (imageId: Digest) => boolean;
  /** Whether the build is worth a report. */
  readonly isReported?: () => boolean;
}

/** @throws BuildError and whatever else {@link failuresOf} knows */
export async function buildImage(
  request: BuildRequest,
  emitAll: Emit,
  hooks: BuildHooks = {},
): Promise<BuildResult> {
  const names = fullNames(request.names ?? []);
  const counter = new StepCounter(emitAll);
  const recorder = new BuildRecorder(request, names, counter.emit);
  const { emit } = recorder;

  checkPlatforms(request, emit);
  await checkDestinations(request);
  await using prepared = await prepareBuild({ inFlight: new InFlight(), ...request }, emit, hooks.site);
  const { workshop, title } = prepared;
  const { scope, source, contexts } = workshop;
  await limitCacheSize(scope.store, scope.session, request, emit);
  await using _report = recorder.keepIn(scope, title, hooks.isReported);
  await hooks.onPrepared?.(prepared);
  const { made, layers } = await solveAndDeliver(prepared, hooks, (solved) =>
    deliver(workshop, solved, { ...request, names, isDelivered: hooks.isDelivered }),
  );
  source.context.save();
  contexts.save();
  await Promise.all(scope.exports.map((each) => each.finish(layers)));
  recorder.built();
  const { id: buildId } = scope.session;
  return { buildId, ...made, names, steps: counter.steps, isolation: counter.isolation };
}

/**
 * Solves the targets, and does with their states what is to be done. A layer of an imported record that cannot be had after
 * all is one that the cache does not have: what stood on it is solved again.
 * @returns what was made, and the layers of all images
 */
async function solveAndDeliver(
  { workshop, targets, stages, steps, graph: first }: PreparedBuild,
  { onSolve }: BuildHooks,
  deliverAll: (solved: readonly SolvedTarget[]) => Promise<Delivered>,
): Promise<{ readonly made: Delivered; readonly layers: readonly StateLayer[] }> {
  const { scope, jobs, cancel } = workshop;
  beginAhead(scope, stages);
  for (let graph = first; ; graph = new StepGraph(scope, steps, stages)) {
    const solver = new Solver<FileState>({ jobs, ...cancel });
    try {
      onSolve?.(solver);
      const solved = await Promise.all(
        targets.map(async (target) => ({ ...target, state: await solver.solve(graph.endOf(target.stage)) })),
      );
      workshop.endSandboxes();
      return { made: await deliverAll(solved), layers: solved.flatMap(({ state }) => state.layers) };
    } catch (error) {
      // What is under way for a result that is not wanted any more, the next build wants, too.
      if (error instanceof LostLayer || solver.isRetired) await scope.chains.settled();
      if (!(error instanceof LostLayer)) throw error;
      scope.chains.reset();
    }
  }
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
