import { familiarName, parseReference } from '@caisson/oci';
import type { PushOptions } from '@caisson/registry';
import type { RegistryAccess } from '../bases/registry-access.ts';
import type { Emit } from '../events.ts';
import { buildError } from '../failure.ts';
import type { FinishedImage } from './output.ts';

/** What pushing needs besides the image. */
export interface PushTools {
  readonly registry: RegistryAccess;
  readonly elsewhere: NonNullable<PushOptions['elsewhere']>;
  readonly emit: Emit;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends an image to the registry of each of its names, one after another: layers that a registry has are not sent, and
 * those that are not in the store come straight from where they lie.
 */
export async function pushToRegistries(image: FinishedImage, tools: PushTools): Promise<void> {
  const { registry, elsewhere, emit, signal } = tools;
  const { store, session, manifest, descriptor, config } = image;
  if (image.names.length === 0) {
    throw buildError('invalid-request', 'an image without a name cannot be pushed', {
      expected: '-t REGISTRY/NAME[:TAG]',
    });
  }
  const { client, pushImage } = await registry.open();
  const stored = { id: manifest.config.digest, descriptor, manifest, config };
  await store.barrier(); // what others are told of is on the disk
  for (const name of image.names) {
    const reference = parseReference(name);
    if (!reference.ok) throw new Error(`Internal error: ${reference.error}`);
    const pushed = await pushImage(client, reference.value, stored, {
      store,
      session,
      compression: 'gzip',
      elsewhere,
      onTransfer: (event) => emit({ kind: 'transfer', ...event }),
      ...(signal === undefined ? {} : { signal }),
    });
    emit({ kind: 'pushed', name: familiarName(reference.value), digest: pushed.digest });
  }
}
