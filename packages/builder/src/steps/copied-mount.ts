import type { PlannedMount } from '../plan/planned.ts';

/** Where what was copied to be shown lies in the layer that was made of it. */
export const COPIED_MOUNT = '/mount';

/** Whether the files of a mount are copied into a layer of their own: those of stages and images lie in layers. */
export function isCopied(mount: PlannedMount): boolean {
  return mount.kind === 'cache' || (mount.kind === 'bind' && mount.from.kind === 'context');
}
