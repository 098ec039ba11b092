import type { Digest } from '@caisson/oci';
import { Once } from './once.ts';

/** How often it is told how far something is, in milliseconds. */
const INTERVAL = 100;

/**
 * Tells how far a transfer is now and then, and in any case when it begins to move and when it is complete.
 * @param size what is complete, in bytes
 */
export function atIntervals(size: number, tell: (done: number) => void): (done: number) => void {
  let next = 0;
  return (done) => {
    const now = performance.now();
    if (done < size && now < next) return;
    next = done === 0 ? now : now + INTERVAL;
    tell(done);
  };
}

/** A blob that travels. */
export interface TravellingBlob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** The same for several blobs, each on its own. */
export function eachAtIntervals(
  tell: (blob: TravellingBlob, done: number) => void,
): (blob: TravellingBlob, done: number) => void {
  const tellers = new Once<Digest, (done: number) => void>();
  return ({ digest, size }, done) => {
    const teller = tellers.get(digest, () => atIntervals(size, (now) => tell({ digest, size }, now)));
    teller(done);
  };
}
