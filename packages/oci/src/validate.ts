import { layerCompression } from './media-types.ts';
import type { ImageConfig } from './image-config.ts';
import type { Manifest } from './manifest.ts';

/**
 * Checks what must hold between a manifest and its config, and returns every breach (none for a sound image). Every
 * writer's test ends by calling it, and every pull does before anything of the image is used.
 */
export function validateImage(manifest: Manifest, config: ImageConfig): string[] {
  const problems: string[] = [];
  const layers = manifest.layers.length;
  const diffIds = config.rootfs.diff_ids.length;
  if (layers !== diffIds)
    problems.push(`the manifest lists ${layers} layers but the config ${diffIds} diff ids`);
  manifest.layers.forEach((layer, index) => {
    if (layerCompression(layer.mediaType) === undefined) {
      problems.push(`layer ${index} has the media type ${layer.mediaType}, which is not a layer's`);
    }
  });
  if (config.history !== undefined && config.history.length > 0) {
    const made = config.history.filter((entry) => entry.empty_layer !== true).length;
    if (made !== diffIds)
      problems.push(`the history tells of ${made} layers but the config has ${diffIds} diff ids`);
  }
  return problems;
}
