import { BASE_CONFIG, busyboxRoot, debianRoot } from './base-images.ts';
import { capableLayers, closedRootLayers, LEGACY_CONFIG, LEGACY_HISTORY, strayLayers } from './odd-images.ts';
import { pushByHand, type HandMadeImage } from './push-image.ts';

/** The base images of tests and cases, without the namespace `library`. */
export const BASE_IMAGES = [
  'busybox',
  'stray',
  'capable',
  'closed-root',
  'legacy',
  'debian:bookworm-slim',
] as const;

/** Puts the small base images on a registry. */
export async function pushBaseImages(host: string): Promise<void> {
  const root = await busyboxRoot();
  const images: Readonly<Record<string, HandMadeImage>> = {
    busybox: { layers: [root], config: BASE_CONFIG },
    stray: { layers: await strayLayers(), config: BASE_CONFIG },
    capable: { layers: await capableLayers(), config: BASE_CONFIG },
    'closed-root': { layers: await closedRootLayers(), config: BASE_CONFIG },
    legacy: { layers: [root], config: LEGACY_CONFIG, history: LEGACY_HISTORY },
  };
  for (const [name, image] of Object.entries(images)) await pushByHand(host, `library/${name}:latest`, image);
}

/** Puts the minimal Debian on a registry. */
export async function pushDebian(host: string): Promise<void> {
  await pushByHand(host, 'library/debian:bookworm-slim', {
    layers: [await debianRoot()],
    config: { ...BASE_CONFIG, Cmd: ['bash'] },
  });
}
