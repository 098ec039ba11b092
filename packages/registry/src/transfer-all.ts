import PQueue from 'p-queue';

/** How many blobs travel at once. */
const TRANSFERS = 4;

/**
 * Lets blobs travel, a few at once. The first that fails ends the others, and is thrown once they have ended.
 * @returns what they came to, in their order
 */
export async function transferAll<Item, Outcome>(
  items: Iterable<Item>,
  transfer: (item: Item, index: number, signal: AbortSignal) => Promise<Outcome>,
  signal: AbortSignal | undefined,
): Promise<Outcome[]> {
  const queue = new PQueue({ concurrency: TRANSFERS });
  const cancel = new AbortController();
  const both = signal === undefined ? cancel.signal : AbortSignal.any([signal, cancel.signal]);
  try {
    return await queue.addAll([...items].map((item, index) => () => transfer(item, index, both)));
  } catch (error) {
    cancel.abort(error);
    queue.clear();
    await queue.onIdle();
    throw error;
  }
}
