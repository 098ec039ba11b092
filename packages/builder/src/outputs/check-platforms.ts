import type { Emit } from '../events.ts';
import { buildError } from '../failure.ts';
import { optionWords } from '../option-words.ts';
import { allPlatformsOf } from '../platforms.ts';
import type { BuildRequest } from '../request.ts';

/**
 * Looks whether images for several platforms can go where they are to go: neither the store nor an archive for docker holds more
 * than one under a name.
 * @throws BuildError `invalid-request`
 */
export function checkPlatforms(
  { platforms, names = [], outputs = [], cacheTo = [], push = false, isLoaded = false }: BuildRequest,
  emit: Emit,
): void {
  if (allPlatformsOf(platforms).length === 1) return;
  const words = optionWords();
  if (isLoaded || outputs.some(({ type }) => type === 'docker')) {
    throw buildError(
      'invalid-request',
      `${isLoaded ? words.load : words.dockerOutput} takes an image for one platform`,
      { expected: `one platform, or ${words.indexOutputs}` },
    );
  }
  if (push || outputs.length > 0 || cacheTo.length > 0) return;
  emit({
    kind: 'warning',
    message: `the images for several platforms go nowhere${names.length === 0 ? '' : ' and get no name'}: only their layers stay in the cache`,
    hint: `${words.indexOutputs} says where to`,
  });
}
