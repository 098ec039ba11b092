import { parseReference, familiarName, type Platform } from '@caisson/oci';
import type { BaseImage } from '../bases/base-image.ts';
import { isOutOfReach } from '../bases/remote-bases.ts';
import { BuildError, type Failure } from '../failure.ts';
import { failuresOf } from '../failure-of.ts';
import { EMPTY_STATE } from '../state.ts';
import type { Place } from '../plan/planned.ts';

/** An image that could not be looked at. */
export interface MissedImage {
  readonly image: BaseImage;
  /** As it is written in the Dockerfile. */
  readonly written: string;
  readonly failure: Failure;
  /** Whether it may well be there: its registry was not to be reached. */
  readonly isOutOfReach: boolean;
}

/**
 * Finds base images, and goes on without those that cannot be found: an image of which nothing is known stands in for
 * them, so that everything else in a Dockerfile can be looked at.
 */
export class TolerantBases {
  readonly missed: MissedImage[] = [];
  readonly #resolve: (name: string, platform: Platform, place: Place) => Promise<BaseImage>;

  constructor(resolve: (name: string, platform: Platform, place: Place) => Promise<BaseImage>) {
    this.#resolve = resolve;
  }

  /** @throws BuildError `cancelled` */
  async resolve(name: string, platform: Platform, place: Place): Promise<BaseImage> {
    try {
      return await this.#resolve(name, platform, place);
    } catch (error) {
      const [failure] = failuresOf(error, { place }) ?? [];
      if (failure === undefined || failure.code === 'cancelled') throw error;
      const image = standIn(name, platform);
      const cause = error instanceof BuildError ? error.cause : error;
      this.missed.push({ image, written: name, failure, isOutOfReach: isOutOfReach(cause) });
      return image;
    }
  }
}

function standIn(name: string, { os, architecture, variant }: Platform): BaseImage {
  const reference = parseReference(name);
  return {
    name: reference.ok ? familiarName(reference.value) : name,
    config: {
      os,
      architecture,
      ...(variant === undefined ? {} : { variant }),
      rootfs: { type: 'layers', diff_ids: [] },
    },
    state: EMPTY_STATE,
  };
}
