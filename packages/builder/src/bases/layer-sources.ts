import type { PushOptions } from '@caisson/registry';
import type { ImportTools } from '../cache/imported-cache.ts';
import { openCaches, type OpenCaches } from '../cache/open-caches.ts';
import type { BuildRequest } from '../request.ts';
import type { LayerProvider } from '../snapshot/chains.ts';
import { BaseImages } from './base-images.ts';
import { LayoutImages } from './layout-images.ts';
import type { RegistryAccess } from './registry-access.ts';
import { RemoteBases } from './remote-bases.ts';

/** Where the layers of a build come from besides its steps: base images, and caches that lie elsewhere. */
export interface LayerSources extends OpenCaches {
  readonly bases: BaseImages;
  readonly layouts: LayoutImages;
  /** Brings a layer into the store. */
  readonly layers: LayerProvider;
  /** Where a layer lies that is not in the store. */
  readonly elsewhere: NonNullable<PushOptions['elsewhere']>;
}

/** Nothing is asked for yet. */
export function openLayerSources(
  request: BuildRequest,
  registry: RegistryAccess,
  tools: ImportTools,
): LayerSources {
  const { store, session, emit, signal } = tools;
  const { pull = 'default' } = request;
  const remote = new RemoteBases({ store, session, pull, registry, emit, signal });
  const layouts = new LayoutImages(store, session, signal);
  const caches = openCaches(request, tools);
  return {
    ...caches,
    bases: new BaseImages({ store, session, remote, pull, emit }),
    layouts,
    layers: async (layer) => {
      // A base's layer lies as its image names it, compressed: a cache may have the same files under another name.
      const isOfStep = layer.step !== undefined;
      if (isOfStep && (await caches.imported.provide(layer.diffId))) return;
      if (!(await layouts.provide(layer))) await remote.provide(layer);
    },
    elsewhere: (diffId, layer) =>
      caches.imported.elsewhere(diffId) ?? remote.elsewhere(layer) ?? caches.imported.refuse(diffId),
  };
}
