import { chainIds } from '@caisson/oci';
import { formId, type Store, type StoredImage } from '@caisson/store';
import { EMPTY_STATE, withLayer, type FileState } from '../state.ts';

/** The layers of an image. What the store made itself speaks for itself; another layer, on its chain. */
export function stateOfImage({ forms }: Store, { manifest, config }: StoredImage): FileState {
  const diffIds = config.rootfs.diff_ids;
  const chains = chainIds(diffIds);
  let state = EMPTY_STATE;
  for (const [index, descriptor] of manifest.layers.entries()) {
    const diffId = diffIds[index];
    const chain = chains[index];
    if (diffId === undefined || chain === undefined)
      throw new Error('Internal error: an image that is not sound');
    const own = formId('layer', diffId);
    const form = forms.mayHaveToc(own) ? own : formId('chain', chain);
    state = withLayer(state, { diffId, content: diffId, form, descriptor, created: undefined });
  }
  return state;
}
