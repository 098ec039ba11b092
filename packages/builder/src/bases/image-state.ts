import { chainIds } from '@caisson/oci';
import { formId, type Store, type StoredImage } from '@caisson/store';
import type { FileState } from '../state.ts';

/** The layers of an image. What the store made itself speaks for itself; another layer, on its chain. */
export function stateOfImage({ forms }: Store, { manifest, config }: StoredImage): FileState {
  const diffIds = config.rootfs.diff_ids;
  const chains = chainIds(diffIds);
  return {
    layers: manifest.layers.map((descriptor, index) => {
      const diffId = diffIds[index];
      const chain = chains[index];
      if (diffId === undefined || chain === undefined)
        throw new Error('Internal error: an image that is not sound');
      const own = formId('layer', diffId);
      const form = forms.mayHaveToc(own) ? own : formId('chain', chain);
      return { diffId, content: diffId, form, descriptor, created: undefined };
    }),
  };
}
