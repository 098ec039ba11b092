import {
  familiarName,
  formatReference,
  parseReference,
  formatPlatform,
  platformOf,
  runsOn,
  type Platform,
  type Reference,
} from '@caisson/oci';
import type { Session, Store } from '@caisson/store';
import type { Emit } from '../events.ts';
import { BuildError, buildError } from '../failure.ts';
import { failuresOf } from '../failure-of.ts';
import { optionWords } from '../option-words.ts';
import type { Place } from '../plan/planned.ts';
import type { PullPolicy } from '../request.ts';
import type { BaseImage } from './base-image.ts';
import { stateOfImage } from './image-state.ts';
import type { FoundBase, RemoteBases } from './remote-bases.ts';

/** What finding base images needs. */
export interface BaseImagesOptions {
  readonly store: Store;
  readonly session: Session;
  readonly remote: RemoteBases;
  readonly pull: PullPolicy;
  readonly emit: Emit;
}

/**
 * Finds the images that stages build on: one that the user named in the store as it lies there; else the one that the
 * registry has now, or had when it was asked less than a minute ago. Only manifest and config are looked at.
 */
export class BaseImages {
  readonly #options: BaseImagesOptions;

  constructor(options: BaseImagesOptions) {
    this.#options = options;
  }

  /** @throws BuildError, StoreError, RegistryError */
  async resolve(name: string, platform: Platform, place: Place): Promise<BaseImage> {
    const reference = parseReference(name);
    if (!reference.ok) throw buildError('invalid-base', reference.error, { place });
    const { image, from } = await this.#find(reference.value, platform).catch((error: unknown) => {
      throw placed(error, place);
    });
    const shown = familiarName(reference.value);
    const { emit, store } = this.#options;
    emit({ kind: 'base', name: shown, id: image.id, from });
    return { name: shown, config: image.config, state: stateOfImage(store, image) };
  }

  /** An image of the store that is for another platform is passed over: the registry may have one that fits. */
  async #find(reference: Reference, platform: Platform): Promise<FoundBase> {
    const { store, session, remote, pull } = this.#options;
    if (pull === 'always') return remote.find(reference, platform);
    const image = await store.images.named(formatReference(reference));
    if (image === undefined) return remote.find(reference, platform);
    if (!runsOn(image.config, platform)) {
      return remote.find(reference, platform).catch((error: unknown) => {
        throw tellingOfOther(error, reference, platformOf(image.config));
      });
    }
    await session.hold(image.descriptor.digest, image.id);
    return { image, from: 'store' };
  }
}

/** Says that the store has an image of that name, for another platform. */
function tellingOfOther(error: unknown, reference: Reference, other: Platform): unknown {
  const failures = failuresOf(error);
  if (failures === undefined || failures.some(({ code }) => code === 'cancelled')) return error;
  const name = formatPlatform(other);
  const hint = `the store has ${familiarName(reference)} for ${name}: ${optionWords().platformOf(name)}`;
  return new BuildError(
    failures.map((failure) => ({ ...failure, hint })),
    error,
  );
}

/** Says where in the Dockerfile the name of the image stands. */
function placed(error: unknown, place: Place): unknown {
  const failures = failuresOf(error, { place });
  return failures === undefined ? error : new BuildError(failures, error);
}
