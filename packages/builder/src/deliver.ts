import { formatPlatform, platformIndex, type Digest } from '@caisson/oci';
import { assembleImage, type AssembledImage } from './image/assemble-image.ts';
import { earlierImage, imageSize } from './image/earlier-image.ts';
import { areHere, provideLayers } from './image/provide-layers.ts';
import { storeImage } from './image/store-image.ts';
import { warnOfDepth } from './image/warn-of-depth.ts';
import type { Finished } from './outputs/output.ts';
import { pushToRegistries } from './outputs/push-image.ts';
import { writeOutputs } from './outputs/write-outputs.ts';
import { contextTitle } from './report/context-title.ts';
import type { PlannedTarget } from './plan/plan-build.ts';
import type { BuildRequest } from './request.ts';
import type { BuildResult, PlatformImage } from './result.ts';
import type { FileState } from './state.ts';
import type { Workshop } from './workshop.ts';

/** What was built for a platform, and its files. */
export interface SolvedTarget extends PlannedTarget {
  readonly state: FileState;
}

/** What is known of where an image is to go. */
interface Delivery {
  /** The full names that it gets. */
  readonly names: readonly string[];
  /** Whether its outputs are written and registries have it. */
  readonly isDelivered?: ((imageId: Digest) => boolean) | undefined;
}

/** What is said of what was made. */
export type Delivered = Pick<BuildResult, 'imageId' | 'manifest' | 'images'>;

/**
 * Makes the image of a state, and brings it to where it is to go: the store, outputs, registries. Of several states, one a
 * platform, there is an image each, and an index that lists them.
 * @throws LostLayer where a layer of an imported cache is needed and cannot be had
 */
export async function deliver(
  workshop: Workshop,
  solved: readonly SolvedTarget[],
  request: BuildRequest & Delivery,
): Promise<Delivered> {
  const [only, ...others] = solved;
  if (only === undefined) throw new Error('Internal error: nothing was built');
  if (others.length > 0) return deliverIndex(workshop, solved, request);
  const image = platformImage({ ...only, ...(await deliverImage(workshop, only, request)) });
  return { imageId: image.imageId, manifest: image.manifest, images: [image] };
}

function platformImage({ platform, config, manifest, descriptor }: TargetImage): PlatformImage {
  return {
    platform: formatPlatform(platform),
    imageId: manifest.config.digest,
    manifest: descriptor,
    config,
  };
}

/** The image of a target. */
type TargetImage = AssembledImage & SolvedTarget;

async function deliverImage(
  workshop: Workshop,
  target: SolvedTarget,
  request: BuildRequest & Delivery,
): Promise<AssembledImage> {
  const { stage, state } = target;
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
  await sendOut(workshop, [{ ...target, ...image }], request);
  if (isHere) return image;
  // An output may have brought the rest.
  if (!(await areHere(scope, state))) return image;
  await storeImage(store, session, image, names);
  tell(true);
  return image;
}

/** The store has what the images are made from, and names none of them. */
async function deliverIndex(
  workshop: Workshop,
  solved: readonly SolvedTarget[],
  request: BuildRequest & Pick<Delivery, 'names'>,
): Promise<Delivered> {
  const { store, session, clock, emit } = workshop.scope;
  const { names, outputs = [], signal } = request;
  signal?.throwIfAborted();
  const images: TargetImage[] = [];
  for (const target of solved) {
    const { stage, state } = target;
    if (outputs.length > 0) await provideLayers(workshop, request, state);
    warnOfDepth(state, emit);
    const image = assembleImage(stage, state, clock);
    await storeImage(store, session, image, undefined);
    images.push({ ...target, ...image });
  }
  const { bytes, descriptor } = platformIndex(images);
  await store.blobs.putBytes(session, bytes);
  emit({
    kind: 'index',
    digest: descriptor.digest,
    names,
    images: images.map((image) => {
      const { platform, imageId } = platformImage(image);
      return { platform, id: imageId, size: imageSize(image.manifest) };
    }),
  });
  await sendOut(workshop, images, request);
  const [first, ...rest] = images.map(platformImage);
  if (first === undefined) throw new Error('Internal error: nothing was built');
  return { imageId: descriptor.digest, manifest: descriptor, images: [first, ...rest] };
}

/** Writes the outputs, and pushes. */
async function sendOut(
  { scope: { store, session, chains, emit }, registry, elsewhere }: Workshop,
  images: readonly TargetImage[],
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
