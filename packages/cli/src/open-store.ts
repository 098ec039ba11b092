import type { Session, Store } from '@caisson/store';
import { checkIds } from './rootless/enter-namespace.ts';

/** Opens the store for as long as some work takes that changes nothing, and needs no files of other owners. */
export async function withStore<T>(root: string, work: (store: Store) => Promise<T>): Promise<T> {
  const { openStore } = await import('@caisson/store');
  using store = await openStore(root);
  return await work(store);
}

/** Opens the store, to change what is in it. @throws CircumstancesError */
export async function withSession<T>(
  root: string,
  work: (store: Store, session: Session) => Promise<T>,
): Promise<T> {
  checkIds();
  return await withStore(root, async (store) => {
    await using session = store.session();
    return await work(store, session);
  });
}
