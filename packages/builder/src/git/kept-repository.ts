import type { CacheMountName, OpenCacheMount, Session, Store } from '@caisson/store';
import { runGit, type GitOptions } from './git-program.ts';

/** A bare repository in the store, which nobody else uses while it is open. */
export interface KeptRepository extends OpenCacheMount {
  /** Whether it was made just now. */
  readonly isNew: boolean;
}

/**
 * Opens the repository in which the commits of a server's are kept. It is a cache folder as those of RUN are: locked,
 * counted, and removed by prune. Its name is a digest, and it knows no addresses.
 * @param remote without credentials
 */
export async function openKept(
  remote: string,
  store: Store,
  session: Session,
  options: Omit<GitOptions, 'cwd'>,
): Promise<KeptRepository> {
  let isNew = false;
  const fill = async (folder: string): Promise<void> => {
    isNew = true;
    await makeBare(folder, options);
  };
  const { signal } = options;
  const kept = await store.cacheMounts.open(nameOf(remote), 'locked', session, fill, { signal });
  store.lookUps.used([kept.useName]);
  return { ...kept, isNew, [Symbol.dispose]: () => kept[Symbol.dispose]() };
}

/** Makes a repository without a checkout. @param folder empty, or not there yet */
export async function makeBare(folder: string, options: Omit<GitOptions, 'cwd'>): Promise<void> {
  await runGit(['init', '--quiet', '--bare', '--', folder], options);
}

/** No cache of a step has this name: where that has a seed, it is a digest. */
function nameOf(remote: string): CacheMountName {
  return { id: remote, seed: 'git repository' };
}
