import { atIntervals } from './at-intervals.ts';

/** Passes bytes on, and tells how many have gone through. @param size of all of them, in bytes */
export async function* toldBytes(
  bytes: AsyncIterable<Uint8Array>,
  size: number,
  tell: (done: number) => void,
): AsyncGenerator<Uint8Array> {
  const note = atIntervals(size, tell);
  let done = 0;
  for await (const chunk of bytes) {
    yield chunk;
    done += chunk.length;
    note(done);
  }
}
