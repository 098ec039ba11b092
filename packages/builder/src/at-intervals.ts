/** How often it is told how far something is, in milliseconds. */
const INTERVAL = 100;

/**
 * Tells how far a transfer is now and then, and in any case when it is complete.
 * @param size what is complete, in bytes
 */
export function atIntervals(size: number, tell: (done: number) => void): (done: number) => void {
  let next = 0;
  return (done) => {
    const now = performance.now();
    if (done < size && now < next) return;
    next = now + INTERVAL;
    tell(done);
  };
}
