import { familiarName, formatReference, parseReference, err, ok, type Result } from '@caisson/oci';
import { assembleImage } from './image/assemble-image.ts';
import { storeImage } from './image/store-image.ts';
import type { Emit } from './events.ts';
import { buildError, type Failure } from './failure.ts';
import { failuresOf } from './failure-of.ts';
import { writeOutputs } from './outputs/write-outputs.ts';
import { prepareBuild } from './prepare.ts';
import { BuildRecorder } from './report/build-recorder.ts';
import type { BuildRequest } from './request.ts';
import type { BuildResult } from './result.ts';
import { Solver } from './solve/solver.ts';
import type { FileState } from './state.ts';
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

async function buildImage(request: BuildRequest, emitAll: Emit): Promise<BuildResult> {
  const names = fullNames(request.names ?? []);
  const counter = new StepCounter(emitAll);
  const recorder = new BuildRecorder(counter.emit);
  const { emit } = recorder;

  await using prepared = await prepareBuild(request, emit);
  const { workshop, target, graph } = prepared;
  const { scope, source, contexts, layers, jobs, cancel } = workshop;
  await using _report = recorder.keepIn(scope, target.title);
  const state = await new Solver<FileState>({ jobs, ...cancel }).solve(graph.endOf(target));
  source.context.save();
  contexts.save();

  const image = assembleImage(target, state, scope.clock);
  await storeImage(scope.store, scope.session, image, state, names, layers);
  const imageId = image.manifest.config.digest;
  emit({ kind: 'image', id: imageId, names });
  const { store, session, chains } = scope;
  const finished = { ...image, names, state, store, session, chains };
  await writeOutputs(finished, request.outputs ?? [], emit, request.signal);
  const { descriptor: manifest, config } = image;
  return { imageId, manifest, config, names, steps: counter.steps, isolation: counter.isolation };
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
