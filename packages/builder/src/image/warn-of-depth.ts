import type { Emit } from '../events.ts';
import type { FileState } from '../state.ts';

/** How many layers an image of Docker's may have: its overlay driver takes no more. */
const MOST_OF_DOCKER = 127;

/** Says of an image that Caisson can run, and Docker cannot. */
export function warnOfDepth({ layers }: FileState, emit: Emit): void {
  if (layers.length <= MOST_OF_DOCKER) return;
  emit({
    kind: 'warning',
    message: `the image has ${layers.length} layers: Docker cannot run one of more than ${MOST_OF_DOCKER}`,
  });
}
