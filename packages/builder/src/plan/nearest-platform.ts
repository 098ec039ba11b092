import { formatPlatform, KNOWN_ARCHITECTURES, KNOWN_SYSTEMS, type Platform } from '@caisson/oci';
import { suggest } from '@caisson/parser';
import { BuildError } from '../failure.ts';

/**
 * The platform that was most likely meant by one that nobody has heard of; undefined for one that is known, and where
 * none is near: it may be new.
 */
export function nearestPlatform(platform: Platform): string | undefined {
  const os = nearest(platform.os, KNOWN_SYSTEMS);
  const architecture = nearest(platform.architecture, KNOWN_ARCHITECTURES);
  const isKnown = os === platform.os && architecture === platform.architecture;
  return isKnown ? undefined : formatPlatform({ ...platform, os, architecture });
}

function nearest(word: string, known: readonly string[]): string {
  return known.includes(word) ? word : (suggest(word, known) ?? word);
}

/** The same for a text that is no platform at all. */
export function nearestPlatformName(text: string): string | undefined {
  return suggest(text, [...KNOWN_SYSTEMS, ...KNOWN_ARCHITECTURES]);
}

/** Why there is no image for a platform: where nobody has heard of that, it is most likely misspelt. */
export function withNearestPlatform(error: unknown, platform: Platform): unknown {
  const near = nearestPlatform(platform);
  if (!(error instanceof BuildError) || near === undefined) return error;
  const suggestion = `--platform=${near}`;
  return new BuildError(
    error.failures.map((failure) => ({ suggestion, ...failure })),
    error.cause,
  );
}
