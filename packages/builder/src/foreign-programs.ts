import { formatPlatform, hostPlatform, type Platform } from '@caisson/oci';
import { canRunProgramsOf, emulatorHint } from '@caisson/runtime';
import { buildError } from './failure.ts';

/**
 * Makes sure that this machine can run the programs of a platform.
 * @param otherwise what can be done besides installing an emulator
 * @throws BuildError `step-not-run`
 */
export function checkPrograms(platform: Platform, otherwise?: string): void {
  if (canRunProgramsOf(platform)) return;
  const [wanted, here] = [formatPlatform(platform), formatPlatform(hostPlatform())];
  throw buildError('step-not-run', `programs for ${wanted} cannot be run on ${here}`, {
    hint: [emulatorHint(platform), ...(otherwise === undefined ? [] : [otherwise])].join('; '),
  });
}
