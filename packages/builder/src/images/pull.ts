import {
  familiarName,
  formatPlatform,
  formatReference,
  hostPlatform,
  platformOf,
  runsOn,
  type Digest,
  type Platform,
} from '@caisson/oci';
import type { RegistryOptions } from '@caisson/registry';
import type { NamedImage } from '@caisson/store';
import { eachAtIntervals } from '../at-intervals.ts';
import { RegistryAccess } from '../bases/registry-access.ts';
import type { BuildEvent } from '../events.ts';
import { withSession } from '../with-session.ts';
import { imageName } from './image-name.ts';
import { tellMeaning } from './name-meaning.ts';

/** What to pull. */
export interface PullRequest {
  /** The folder of the store. */
  readonly root: string;
  /** The image: its name, with a tag, a digest or both; the digest counts. */
  readonly name: string;
  /** Which of its images; this machine's where it is not given. */
  readonly platform?: Platform;
  readonly registry?: RegistryOptions;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** What happens while an image is pulled: how far each layer is, and what could be got round. */
export type PullEvent = Extract<BuildEvent, { kind: 'fetch' | 'warning' }>;

/** An image that was pulled. */
export interface PulledImage extends NamedImage {
  /** What the name points to in the registry: an index, or the manifest itself. */
  readonly tagDigest: Digest;
}

/**
 * Fetches an image from its registry into the store, under its name.
 * @throws RegistryError, StoreError; BuildError `invalid-request` for a name that is none
 */
export function pull(request: PullRequest, emit: (event: PullEvent) => void): Promise<PulledImage> {
  const { name, platform: wanted = hostPlatform(), registry = {}, signal } = request;
  const reference = imageName(name);
  const shown = familiarName(reference);
  const onWarning = (message: string): void => emit({ kind: 'warning', message });
  const far = eachAtIntervals(({ digest, size }, received) =>
    emit({ kind: 'fetch', image: shown, digest, received, size }),
  );
  return withSession(request, async (store, session) => {
    await using access = new RegistryAccess({ onWarning, ...registry });
    const { client, pullImage } = await access.open();
    const { tagDigest } = await tellMeaning(reference, () =>
      pullImage(client, reference, {
        store,
        session,
        platform: wanted,
        onTransfer: ({ wasThere, done, ...blob }) => {
          if (wasThere) emit({ kind: 'fetch', image: shown, ...blob, received: blob.size, wasThere });
          else far(blob, done);
        },
        ...(signal === undefined ? {} : { signal }),
      }),
    );
    const image = await store.images.find(formatReference(reference));
    const platform = platformOf(image.config);
    if (!runsOn(platform, wanted)) onWarning(otherPlatform(shown, platform, wanted));
    return { ...image, tagDigest };
  });
}

/** A registry may have one image of a name, whatever it is asked for. */
function otherPlatform(name: string, platform: Platform, wanted: Platform): string {
  return `${name} is for ${formatPlatform(platform)}, not for ${formatPlatform(wanted)}: there is no other image of that name`;
}
