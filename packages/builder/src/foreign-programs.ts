import { formatPlatform, hostPlatform, type Platform } from '@caisson/oci';
import { canRunProgramsOf, emulatorHint } from '@caisson/runtime';
import { buildError } from './failure.ts';

/**
 * Makes sure that this machine can run the programs of a platform.
 * @param otherwise what can be done besides installing an emulator
 * @throws BuildError `step-not-run`
 */
export function checkPrograms(platform: Platform, otherwise?: string): void {
  const why = whyNoPrograms(platform);
  if (why === undefined) return;
  const hint = [why.hint, ...(otherwise === undefined ? [] : [otherwise])].join('; ');
  throw buildError('step-not-run', why.message, { hint });
}

/** Why this machine cannot run the programs of a platform, and what to do about it; undefined where it can. */
export function whyNoPrograms(
  platform: Platform,
): { readonly message: string; readonly hint: string } | undefined {
  if (canRunProgramsOf(platform)) return undefined;
  const [wanted, here] = [formatPlatform(platform), formatPlatform(hostPlatform())];
  return { message: `programs for ${wanted} cannot be run on ${here}`, hint: emulatorHint(platform) };
}
