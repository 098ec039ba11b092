import type { Platform, Reference } from '@caisson/oci';
import { familiarName } from '@caisson/oci';
import type { Session, Store, StoredImage } from '@caisson/store';
import type { BaseOrigin, Emit } from '../events.ts';
import { buildError } from '../failure.ts';
import type { Place } from '../plan/planned.ts';
import type { PullPolicy } from '../request.ts';
import type { StateLayer } from '../state.ts';

export class RemoteBases {
  readonly store: Store;
  constructor(store: Store, _session: Session, _platform: Platform, _emit: Emit) {
    this.store = store;
  }
  find(
    reference: Reference,
    _pull: PullPolicy,
    place: Place,
  ): Promise<{ image: StoredImage; from: BaseOrigin }> {
    return Promise.reject(buildError('no-such-image', `no image ${familiarName(reference)}`, { place }));
  }
  async provide(layer: StateLayer): Promise<void> {
    if (this.store.blobs.size(layer.descriptor.digest) === undefined) throw new Error('TODO');
  }
}
