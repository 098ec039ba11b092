import type { Session, Store } from '@caisson/store';
import { checkRoot } from './as-root.ts';

/** Opens the store for as long as some work takes. */
export async function withStore<T>(root: string, work: (store: Store) => Promise<T>): Promise<T> {
  checkRoot();
  const { openStore } = await import('@caisson/store');
  using store = await openStore(root);
  return await work(store);
}

/** Opens the store, to change what is in it. */
export function withSession<T>(
  root: string,
  work: (store: Store, session: Session) => Promise<T>,
): Promise<T> {
  return withStore(root, async (store) => {
    await using session = store.session();
    return await work(store, session);
  });
}
