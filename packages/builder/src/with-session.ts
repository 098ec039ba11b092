import { openStore, type Session, type Store } from '@caisson/store';

/** Opens a store for as long as some work takes. @throws StoreError */
export async function withSession<T>(
  { root, signal }: { readonly root: string; readonly signal?: AbortSignal | undefined },
  work: (store: Store, session: Session) => Promise<T>,
): Promise<T> {
  using store = await openStore(root, { signal });
  await using session = store.session();
  return await work(store, session);
}
