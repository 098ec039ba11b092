import type { Descriptor } from './manifest.ts';
import { runsOn, variantRank, type Platform } from './platform.ts';
import { err, ok, type Result } from './result.ts';

/** How deep indexes may be nested: an index may hold further ones, and one that holds itself has no end. */
export const MAX_INDEX_DEPTH = 4;

/**
 * The entry of an index that fits a platform best; of several ones the first. One that does not say what it is for fits
 * where nothing else does. Attestations, which are for `unknown`, are none.
 * @returns else the platforms that there are entries for
 */
export function chooseManifest(
  manifests: readonly Descriptor[],
  platform: Platform,
): Result<Descriptor, readonly Platform[]> {
  const usable = manifests.filter((entry) => entry.platform?.os !== 'unknown');
  const [best] = usable
    .filter((entry) => entry.platform === undefined || runsOn(entry.platform, platform))
    .toSorted((a, b) => rank(b) - rank(a));
  if (best !== undefined) return ok(best);
  return err(usable.flatMap((entry) => entry.platform ?? []));
}

function rank({ platform }: Descriptor): number {
  return platform === undefined ? -1 : variantRank(platform);
}
