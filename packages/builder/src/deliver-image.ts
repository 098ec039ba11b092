import { formatPlatform, platformIndex, platformOf, type Descriptor, type Digest } from '@caisson/oci';
import { assembleImage, type AssembledImage } from './image/assemble-image.ts';
import { earlierImage, imageSize } from './image/earlier-image.ts';
import { areHere, provideLayers } from './image/provide-layers.ts';
import { storeImage } from './image/store-image.ts';
import { warnOfDepth } from './image/warn-of-depth.ts';
import type { Finished } from './outputs/output.ts';
import { pushToRegistries } from './outputs/push-image.ts';
import { writeOutputs } from './outputs/write-outputs.ts';
import { contextTitle } from './report/context-title.ts';
import type { PlannedStage } from './plan/planned.ts';
import type { BuildRequest } from './request.ts';
import type { FileState } from './state.ts';
import type { Workshop } from './workshop.ts';

/** A stage that was built, and its files. */
export interface SolvedStage {
  readonly stage: PlannedStage;
  readonly state: FileState;
}

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
  { stage, state }: SolvedStage,
  request: BuildRequest & Delivery,
): Promise<AssembledImage> {
  const { scope } = workshop;
  const { store, session, clock, emit } = scope;
  const { names } = request;
  request.signal?.throwIfAborted(); // the last step may have ended in spite of it
  const isHere = await provideLayers(workshop, request, state);
  warnOfDepth(state, emit);
  const image = assembleImage(stage, state, clock);
  const before = await earlierImage(store, {
    names,
    context: contextTitle(request),
    dockerfile: scope.dockerfile,
    target: stage.title,
  });
  const facts = { id: image.manifest.config.digest, names, size: imageSize(image.manifest) };
  const tell = (isStored: boolean): void =>
    emit({ kind: 'image', ...facts, isStored, ...(before === undefined ? {} : { before }) });
  await storeImage(store, session, image, isHere ? names : undefined);
  tell(isHere);
  if (request.isDelivered?.(image.manifest.config.digest) === true) return image;
  await sendOut(workshop, [{ ...image, state }], request);
  if (isHere) return image;
  // An output may have brought the rest.
  if (!(await areHere(scope, state))) return image;
  await storeImage(store, session, image, names);
  tell(true);
  return image;
}

/** Images for several platforms, and the index that lists them. */
export interface DeliveredIndex {
  readonly images: readonly AssembledImage[];
  readonly descriptor: Descriptor;
}

/**
 * The same for several platforms: the store has what the images are made from, and names none of them.
 * @throws LostLayer
 */
export async function deliverIndex(
  workshop: Workshop,
  solved: readonly SolvedStage[],
  request: BuildRequest & Pick<Delivery, 'names'>,
): Promise<DeliveredIndex> {
  const { store, session, clock, emit } = workshop.scope;
  request.signal?.throwIfAborted();
  const images: (AssembledImage & Pick<SolvedStage, 'state'>)[] = [];
  for (const { stage, state } of solved) {
    await provideLayers(workshop, request, state);
    warnOfDepth(state, emit);
    const image = assembleImage(stage, state, clock);
    await storeImage(store, session, image, undefined);
    images.push({ ...image, state });
  }
  const { bytes, descriptor } = platformIndex(images);
  await store.blobs.putBytes(session, bytes);
  emit({
    kind: 'index',
    digest: descriptor.digest,
    names: request.names,
    images: images.map(({ manifest, config }) => ({
      platform: formatPlatform(platformOf(config)),
      id: manifest.config.digest,
      size: imageSize(manifest),
    })),
  });
  await sendOut(workshop, images, request);
  return { images, descriptor };
}

/** Writes the outputs, and pushes. */
async function sendOut(
  { scope: { store, session, chains, emit }, registry, elsewhere }: Workshop,
  images: readonly (AssembledImage & Pick<SolvedStage, 'state'>)[],
  {
    names,
    outputs = [],
    push = false,
    pushCompression: compression = 'gzip',
    signal,
  }: BuildRequest & Pick<Delivery, 'names'>,
): Promise<void> {
  const finished: Finished = { images: images.map((image) => ({ ...image, chains })), names, store, session };
  await writeOutputs(finished, outputs, emit, signal);
  if (push) await pushToRegistries(finished, { registry, elsewhere, compression, emit, signal });
}
