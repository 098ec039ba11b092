import PQueue from 'p-queue';
import { allDone } from '../all-done.ts';
import type { BuildRequest } from '../request.ts';
import { TRANSFERS } from '../snapshot/arriving-layers.ts';
import type { FileState } from '../state.ts';
import type { StepScope } from '../steps/step-scope.ts';
import type { Workshop } from '../workshop.ts';

/**
 * Brings the layers of an image into the store that something there needs: the image itself, or an output that has them.
 * @returns whether all of it is there
 */
export async function provideLayers(
  { scope, layers }: Workshop,
  { push = false, outputs = [], isLoaded = false }: BuildRequest,
  state: FileState,
): Promise<boolean> {
  // Every output reads all layers. One that is lost is found out here, where what stood on it can be solved again.
  const onlyPasses = !isLoaded && push && outputs.length === 0;
  if (!onlyPasses) {
    const queue = new PQueue({ concurrency: TRANSFERS });
    await allDone(state.layers.map((layer) => queue.add(() => layers(layer))));
    return true;
  }
  return areHere(scope, state);
}

/** Whether the store has all layers of a state. */
export async function areHere({ store, session }: StepScope, { layers }: FileState): Promise<boolean> {
  for (const { descriptor } of layers) {
    if (!(await store.blobs.has(session, descriptor.digest))) return false;
  }
  return true;
}
