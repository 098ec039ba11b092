import {
  familiarName,
  parseReference,
  type Compression,
  type Descriptor,
  type Reference,
} from '@caisson/oci';
import type { ImageToPush, PushOptions } from '@caisson/registry';
import { RegistryError } from '@caisson/registry/errors';
import { eachAtIntervals } from '../at-intervals.ts';
import type { OpenRegistry, RegistryAccess } from '../bases/registry-access.ts';
import type { BuildEvent, Emit } from '../events.ts';
import { optionWords } from '../option-words.ts';
import { failuresOf } from '../failure-of.ts';
import { BuildError, buildError } from '../failure.ts';
import type { Finished } from './output.ts';

/** What pushing needs besides the image. */
export interface PushTools {
  readonly registry: RegistryAccess;
  readonly elsewhere: NonNullable<PushOptions['elsewhere']>;
  /** Of layers that lie uncompressed in the store. */
  readonly compression: Compression;
  readonly emit: Emit;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends what was built to the registry of each of its names, one after another: layers that a registry has are not sent, and
 * those that are not in the store come straight from where they lie.
 */
export async function pushToRegistries(finished: Finished, tools: PushTools): Promise<void> {
  const { registry, elsewhere, compression, emit, signal } = tools;
  const { images, names, store, session } = finished;
  if (names.length === 0) {
    throw buildError('invalid-request', 'an image without a name cannot be pushed', {
      expected: optionWords().name,
    });
  }
  const opened = await registry.open();
  const stored = images.map(({ platform, manifest, descriptor, config }) => ({
    platform,
    id: manifest.config.digest,
    descriptor,
    manifest,
    config,
  }));
  await store.barrier(); // what others are told of is on the disk
  for (const name of names) {
    const reference = parseReference(name);
    if (!reference.ok) throw new Error(`Internal error: ${reference.error}`);
    const shown = familiarName(reference.value);
    emit({ kind: 'pushing', name: shown });
    try {
      const options = { store, session, compression, elsewhere, name: shown, emit, signal };
      const pushed = await pushOne(opened, reference.value, stored, options);
      emit({ kind: 'pushed', name: shown, digest: pushed.digest, size: pushed.size });
    } catch (error) {
      throw namingImage(error, shown);
    }
  }
}

/** What pushing an image to one place needs. */
interface PushOneOptions extends Pick<PushOptions, 'store' | 'session' | 'compression' | 'elsewhere'> {
  /** What it is called there, for events. */
  readonly name: string;
  readonly emit: (event: Extract<BuildEvent, { kind: 'compress' | 'send' | 'transfer' }>) => void;
  readonly signal: AbortSignal | undefined;
}

/** Sends an image, or one a platform, to one place, and tells how far each blob is. @throws RegistryError, StoreError */
export function pushOne(
  { client, pushImages }: OpenRegistry,
  reference: Reference,
  images: readonly ImageToPush[],
  { name, emit, signal, ...options }: PushOneOptions,
): Promise<Descriptor> {
  return pushImages(client, reference, images, {
    ...options,
    onTransfer: (event) => emit({ kind: 'transfer', ...event }),
    onCompress: eachAtIntervals((layer, done) => emit({ kind: 'compress', name, ...layer, done })),
    onSent: eachAtIntervals((blob, sent) => emit({ kind: 'send', name, ...blob, sent })),
    ...(signal === undefined ? {} : { signal }),
  });
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
