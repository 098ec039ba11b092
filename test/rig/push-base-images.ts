import { BASE_CONFIG, busyboxRoot, debianRoot } from './base-images.ts';
import { capableLayers, strayLayers } from './odd-images.ts';
import { pushByHand } from './push-image.ts';

/** The base images of tests and cases, without the namespace `library`. */
export const BASE_IMAGES = ['busybox', 'stray', 'capable', 'debian:bookworm-slim'] as const;

/** Puts the small base images on a registry. */
export async function pushBaseImages(host: string): Promise<void> {
  const layers = {
    busybox: [await busyboxRoot()],
    stray: await strayLayers(),
    capable: await capableLayers(),
  };
  for (const [name, each] of Object.entries(layers)) {
    await pushByHand(host, `library/${name}:latest`, { layers: each, config: BASE_CONFIG });
  }
}

/** Puts the minimal Debian on a registry. */
export async function pushDebian(host: string): Promise<void> {
  await pushByHand(host, 'library/debian:bookworm-slim', {
    layers: [await debianRoot()],
    config: { ...BASE_CONFIG, Cmd: ['bash'] },
  });
}
