import type { Digest } from '@caisson/oci';
import { assembleImage, type AssembledImage } from './image/assemble-image.ts';
import { earlierImage, imageSize } from './image/earlier-image.ts';
import { areHere, provideLayers } from './image/provide-layers.ts';
import { storeImage } from './image/store-image.ts';
import { warnOfDepth } from './image/warn-of-depth.ts';
import { pushToRegistries } from './outputs/push-image.ts';
import { writeOutputs } from './outputs/write-outputs.ts';
import { contextTitle } from './report/context-title.ts';
import type { PlannedStage } from './plan/planned.ts';
import type { BuildRequest } from './request.ts';
import type { FileState } from './state.ts';
import type { Workshop } from './workshop.ts';

/** What is known of where an image is to go. */
interface Delivery {
  /** The full names that it gets. */
  readonly names: readonly string[];
  /** Whether its outputs are written and registries have it. */
  readonly isDelivered?: ((imageId: Digest) => boolean) | undefined;
}

/**
 * Makes the image of a state, and brings it to where it is to go: the store, outputs, registries.
 * @throws LostLayer where a layer of an imported cache is needed and cannot be had
 */
export async function deliverImage(
  workshop: Workshop,
  target: PlannedStage,
  state: FileState,
  request: BuildRequest & Delivery,
): Promise<AssembledImage> {
  const { scope, registry, elsewhere } = workshop;
  const { store, session, chains, clock, emit } = scope;
  const { names, outputs = [], push = false, pushCompression: compression = 'gzip', signal } = request;
  signal?.throwIfAborted(); // the last step may have ended in spite of it
  const isHere = await provideLayers(workshop, request, state);
  warnOfDepth(state, emit);
  const image = assembleImage(target, state, clock);
  const before = await earlierImage(store, {
    names,
    context: contextTitle(request),
    dockerfile: scope.dockerfile,
    target: target.title,
  });
  const facts = { id: image.manifest.config.digest, names, size: imageSize(image.manifest) };
  const tell = (isStored: boolean): void =>
    emit({ kind: 'image', ...facts, isStored, ...(before === undefined ? {} : { before }) });
  await storeImage(store, session, image, isHere ? names : undefined);
  tell(isHere);
  if (request.isDelivered?.(image.manifest.config.digest) === true) return image;
  const finished = { ...image, names, state, store, session, chains };
  await writeOutputs(finished, outputs, emit, signal);
  if (push) await pushToRegistries(finished, { registry, elsewhere, compression, emit, signal });
  if (isHere) return image;
  // An output may have brought the rest.
  if (!(await areHere(scope, state))) return image;
  await storeImage(store, session, image, names);
  tell(true);
  return image;
}
