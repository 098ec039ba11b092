/** The results of work that goes on side by side. What failed is thrown when none of it goes on any more. */
export async function allDone<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const done = await Promise.allSettled(work);
  return done.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}
