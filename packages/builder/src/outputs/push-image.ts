import { familiarName, parseReference, type Digest } from '@caisson/oci';
import type { PushOptions } from '@caisson/registry';
import { RegistryError } from '@caisson/registry/errors';
import { atIntervals } from '../at-intervals.ts';
import type { RegistryAccess } from '../bases/registry-access.ts';
import type { Emit } from '../events.ts';
import { failuresOf } from '../failure-of.ts';
import { BuildError, buildError } from '../failure.ts';
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
    const shown = familiarName(reference.value);
    emit({ kind: 'pushing', name: shown });
    try {
      const pushed = await pushImage(client, reference.value, stored, {
        store,
        session,
        compression: 'gzip',
        elsewhere,
        onTransfer: (event) => emit({ kind: 'transfer', ...event }),
        onSent: sendTeller(shown, emit),
        ...(signal === undefined ? {} : { signal }),
      });
      emit({ kind: 'pushed', name: shown, digest: pushed.digest, size: pushed.size });
    } catch (error) {
      throw namingImage(error, shown);
    }
  }
}

/** Tells how far each blob is. */
function sendTeller(name: string, emit: Emit): NonNullable<PushOptions['onSent']> {
  const tellers = new Map<Digest, (sent: number) => void>();
  return ({ digest, size }, sent) => {
    const tell =
      tellers.get(digest) ??
      atIntervals(size, (now) => emit({ kind: 'send', name, digest, sent: now, size }));
    tellers.set(digest, tell);
    tell(sent);
  };
}

/** What goes wrong with a push is told with the name that was pushed: there may be several. */
function namingImage(error: unknown, name: string): unknown {
  const failures = error instanceof RegistryError ? failuresOf(error) : undefined;
  const isCancelled = failures?.some(({ code }) => code === 'cancelled') ?? true;
  if (failures === undefined || isCancelled) return error;
  return new BuildError(
    failures.map((failure) => ({ ...failure, message: `cannot push ${name}: ${failure.message}` })),
    error,
  );
}
