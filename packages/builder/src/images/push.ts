import { familiarName, formatReference, platformOf, type Compression, type Descriptor } from '@caisson/oci';
import type { RegistryOptions } from '@caisson/registry';
import { RegistryAccess } from '../bases/registry-access.ts';
import type { BuildEvent } from '../events.ts';
import { pushOne } from '../outputs/push-image.ts';
import { withSession } from '../with-session.ts';
import { imageName } from './image-name.ts';
import { tellMeaning } from './name-meaning.ts';

/** What to push. */
export interface PushRequest {
  /** The folder of the store. */
  readonly root: string;
  /** The name of an image of the store: it says to which registry, too. */
  readonly name: string;
  /** How layers that lie uncompressed in the store travel; `gzip` where it is not given. */
  readonly compression?: Compression;
  readonly registry?: RegistryOptions;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** What happens while an image is pushed: how far each blob is, and what could be got round. */
export type PushEvent = Extract<BuildEvent, { kind: 'compress' | 'send' | 'transfer' | 'warning' }>;

/**
 * Sends an image of the store to the registry of its name.
 * @returns the descriptor of the manifest that it has there
 * @throws RegistryError, StoreError; BuildError `invalid-request` for a name that is none
 */
export function push(request: PushRequest, emit: (event: PushEvent) => void): Promise<Descriptor> {
  const { compression = 'gzip', registry = {}, signal } = request;
  const reference = imageName(request.name);
  const name = familiarName(reference);
  const onWarning = (message: string): void => emit({ kind: 'warning', message });
  return withSession(request, async (store, session) => {
    const image = await store.images.find(formatReference(reference));
    const parts = [image.descriptor, image.manifest.config, ...image.manifest.layers];
    await session.hold(...parts.map(({ digest }) => digest));
    await using access = new RegistryAccess({ onWarning, ...registry });
    const opened = await access.open();
    const options = { store, session, compression, name, emit, signal };
    const advice = `caisson tag ${name} REGISTRY/${name}, and push that`;
    return await tellMeaning(
      reference,
      () => pushOne(opened, reference, [{ ...image, platform: platformOf(image.config) }], options),
      { advice },
    );
  });
}
