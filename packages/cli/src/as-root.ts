import { CircumstancesError } from './usage-error.ts';

/** Sandboxes and layers with owners need root, until rootless builds are there. @throws CircumstancesError */
export function checkRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new CircumstancesError('caisson must be run as root for now', {
    hint: 'sudo caisson, or a container of CI, which is root inside',
  });
}
