import { parseReference } from '@caisson/oci';
import {
  diskUsage,
  nameImage,
  openStore,
  prune,
  removeImage,
  type Session,
  type Store,
} from '@caisson/store';
import { buildError } from '../../failure.ts';
import { verify } from '../../verify/verify.ts';
import type { Outcome, StoreJob } from './protocol.ts';

/** Does something with a store. @throws StoreError, BuildError */
export async function doStoreJob(job: StoreJob, signal: AbortSignal): Promise<Outcome> {
  const place = { root: job.root, signal };
  switch (job.kind) {
    case 'open':
      await withSession(place, () => Promise.resolve());
      return { kind: 'open' };
    case 'images':
      return { kind: 'images', value: await withSession(place, (store) => store.images.list()) };
    case 'usage':
      return { kind: 'usage', value: await withSession(place, (store) => diskUsage(store, signal)) };
    case 'tag':
      await withSession(place, (store, session) => tag(store, session, job));
      return { kind: 'tag' };
    case 'remove': {
      const { image, isForced } = job;
      const removed = await withSession(place, (store, session) =>
        removeImage(store, session, image, isForced),
      );
      return { kind: 'remove', value: removed.names };
    }
    case 'prune': {
      const { isDryRun, unusedFor, reserved } = job;
      const options = {
        isDryRun,
        signal,
        ...(unusedFor === undefined ? {} : { unusedFor }),
        ...(reserved === undefined ? {} : { keep: { reserved } }),
      };
      return { kind: 'prune', value: await withSession(place, (...opened) => prune(...opened, options)) };
    }
    case 'verify': {
      const { problems, unknown } = await verify({ ...place, isRepair: job.isRepair });
      const plain = problems.map(({ path, message, remedy }) => ({ path, message, remedy }));
      return { kind: 'verify', value: { problems: plain, unknown } };
    }
  }
}

async function withSession<T>(
  { root, signal }: { readonly root: string; readonly signal: AbortSignal },
  work: (store: Store, session: Session) => Promise<T>,
): Promise<T> {
  using store = await openStore(root, { signal });
  await using session = store.session();
  return await work(store, session);
}

async function tag(
  store: Store,
  session: Session,
  { image, name }: { readonly image: string; readonly name: string },
): Promise<void> {
  const reference = parseReference(name);
  if (!reference.ok) throw buildError('invalid-request', reference.error, { expected: 'NAME[:TAG]' });
  if (reference.value.digest !== undefined)
    throw buildError('invalid-request', `${name} has a digest`, { expected: 'NAME[:TAG]' });
  await nameImage(store, session, image, reference.value);
}
