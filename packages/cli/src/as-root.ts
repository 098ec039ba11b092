import { UsageError } from './usage-error.ts';

/** Sandboxes and layers with owners need root, until rootless builds are there. @throws UsageError */
export function checkRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new UsageError('caisson must be run as root for now', {
    hint: 'sudo caisson, or a container of CI, which is root inside',
  });
}
