import type { MountedFiles, PlannedMount } from './planned.ts';

/** The files of the context, a stage or an image that a mount is made from; undefined for one that needs none. */
export function mountedFiles(mount: PlannedMount): MountedFiles | undefined {
  switch (mount.kind) {
    case 'bind':
      return { source: mount.source, from: mount.from };
    case 'cache':
      return mount.seed;
    case 'tmpfs':
    case 'secret':
    case 'ssh':
      return undefined;
  }
}
