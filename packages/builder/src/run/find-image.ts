import { hostPlatform, parseReference, type Reference } from '@caisson/oci';
import { StoreError, type Session, type Store, type StoredImage } from '@caisson/store';
import { RegistryAccess } from '../bases/registry-access.ts';
import { buildError } from '../failure.ts';
import { tellMeaning } from '../images/name-meaning.ts';
import { optionWords } from '../option-words.ts';
import type { LayerProvider } from '../snapshot/chains.ts';
import type { RunRequest } from './run-request.ts';

/** An image to run, whose layers may not be there yet. */
export interface FoundImage extends AsyncDisposable {
  readonly image: StoredImage;
  /** Brings one of its layers. */
  readonly provide: LayerProvider;
  /** Waits until all of it is there; one that was pulled has its name then. */
  readonly complete: () => Promise<void>;
}

/** An image of the store; one that is not there is pulled, as docker does. */
export async function findImage(store: Store, session: Session, request: RunRequest): Promise<FoundImage> {
  const { image: text, pull = 'missing' } = request;
  const reference = parseReference(text);
  try {
    if (pull !== 'always' || !reference.ok) return await storedImage(store, session, text);
  } catch (error) {
    const isMissing = error instanceof StoreError && error.code === 'no-such-image';
    if (!isMissing || pull === 'never' || !reference.ok) throw error;
  }
  return pulledImage(store, session, request, reference.value);
}

async function storedImage(store: Store, session: Session, text: string): Promise<FoundImage> {
  const image = await store.images.find(text);
  const names = [image.descriptor, image.manifest.config, ...image.manifest.layers];
  await session.hold(...names.map(({ digest }) => digest));
  return {
    image,
    provide: async ({ descriptor }) => {
      if (await store.blobs.has(session, descriptor.digest)) return;
      throw buildError('store', `the layer ${descriptor.digest} is no longer in the store, or is damaged`, {
        hint: optionWords().pullImage(text),
      });
    },
    complete: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Its layers are fetched when they are asked for: what is made of them is made while they come. */
async function pulledImage(
  store: Store,
  session: Session,
  { image: text, pull, registry = {}, onTransfer, onPulled, signal }: RunRequest,
  reference: Reference,
): Promise<FoundImage> {
  await using stack = new AsyncDisposableStack();
  const access = stack.use(new RegistryAccess(registry));
  const { client, fetchImage, ImagePull } = await access.open();
  const before = pull === 'always' ? {} : { before: `the store has no image ${text}` };
  const ask = <T>(work: () => Promise<T>): Promise<T> => tellMeaning(reference, work, before);
  const platform = hostPlatform();
  const remote = await ask(() => fetchImage(client, reference, platform, signal));
  const options = {
    store,
    session,
    platform,
    ...(onTransfer === undefined ? {} : { onTransfer }),
    ...(signal === undefined ? {} : { signal }),
  };
  const coming = stack.use(new ImagePull(client, reference, remote, options));
  const { descriptor, manifest, config } = remote;
  const complete = async (): Promise<void> => {
    await ask(() => coming.finish());
    onPulled?.();
  };
  let completed: Promise<void> | undefined;
  const held = stack.move();
  return {
    image: { id: manifest.config.digest, descriptor, manifest, config },
    provide: (layer) => ask(() => coming.layer(layer.descriptor.digest)),
    complete: () => (completed ??= complete()),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
