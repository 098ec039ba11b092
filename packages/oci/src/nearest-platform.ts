import { formatPlatform, KNOWN_ARCHITECTURES, KNOWN_SYSTEMS, type Platform } from './platform.ts';

/** Finds the word that was most likely meant by another; undefined where none is near. */
export type Suggest = (word: string, known: readonly string[]) => string | undefined;

/**
 * The platform that was most likely meant by one that nobody has heard of; undefined for one that is known, and where
 * none is near: it may be new.
 */
export function nearestPlatform(platform: Platform, suggest: Suggest): string | undefined {
  const nearest = (word: string, known: readonly string[]): string =>
    known.includes(word) ? word : (suggest(word, known) ?? word);
  const os = nearest(platform.os, KNOWN_SYSTEMS);
  const architecture = nearest(platform.architecture, KNOWN_ARCHITECTURES);
  const isKnown = os === platform.os && architecture === platform.architecture;
  return isKnown ? undefined : formatPlatform({ ...platform, os, architecture });
}

/** The same for a text that is no platform at all. */
export function nearestPlatformName(text: string, suggest: Suggest): string | undefined {
  return suggest(text, [...KNOWN_SYSTEMS, ...KNOWN_ARCHITECTURES]);
}
