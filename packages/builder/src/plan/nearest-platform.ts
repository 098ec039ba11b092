import { nearestPlatform, type Platform } from '@caisson/oci';
import { suggest } from '@caisson/parser';
import { BuildError } from '../failure.ts';

/** Why there is no image for a platform: where nobody has heard of that, it is most likely misspelt. */
export function withNearestPlatform(error: unknown, platform: Platform): unknown {
  const near = nearestPlatform(platform, suggest);
  if (!(error instanceof BuildError) || near === undefined) return error;
  const suggestion = `--platform=${near}`;
  return new BuildError(
    error.failures.map((failure) => ({ suggestion, ...failure })),
    error.cause,
  );
}
