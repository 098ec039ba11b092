import { openStore, verifyStore, type Problem } from '@caisson/store';
import { verifyTrees } from './verify-trees.ts';

/** What to look at. */
export interface VerifyRequest {
  /** The folder of the store. */
  readonly root: string;
  /** Mend what is wrong, mostly by removing it: what can be made or fetched again is, when something needs it. */
  readonly isRepair?: boolean;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/** Something in a store that is not what it should be. */
export type StoreProblem = Pick<Problem, 'path' | 'message' | 'remedy'>;

/** What was found. */
export interface Verified {
  readonly problems: readonly StoreProblem[];
  /** How many trees and tables of contents could not be looked at, because their layers are gone. */
  readonly unknown: number;
}

/**
 * Looks at all of a store: hashes every blob, compares every tree with its layer, reads every document.
 * @param onProblem told of each problem when it is found, and mended
 * @throws StoreError where the folder is no store
 */
export async function verify(
  { root, isRepair = false, signal = NEVER }: VerifyRequest,
  onProblem: (problem: StoreProblem) => void = () => {},
): Promise<Verified> {
  using store = await openStore(root, { signal });
  await using session = store.session();
  const problems: StoreProblem[] = [];
  let unknown = 0;
  const take = async (found: AsyncIterable<Problem>): Promise<void> => {
    for await (const problem of found) {
      signal.throwIfAborted();
      if (isRepair) await problem.repair();
      problems.push(problem);
      onProblem(problem);
    }
  };
  await take(verifyStore(store, session, signal));
  await take(verifyTrees(store, session, { onUnknown: () => unknown++, signal }));
  return { problems, unknown };
}

const NEVER = new AbortController().signal;
