/** Passes bytes on, and tells how many have gone through. */
export async function* counted<Bytes extends Uint8Array>(
  bytes: AsyncIterable<Bytes>,
  tell: (done: number) => void,
): AsyncGenerator<Bytes> {
  let done = 0;
  for await (const chunk of bytes) {
    yield chunk;
    done += chunk.length;
    tell(done);
  }
}
