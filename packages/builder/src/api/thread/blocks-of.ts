/** The bytes of a stream in blocks of one size, each a buffer of its own; the last one is shorter. */
export async function* blocksOf(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafeSlow(size);
  let used = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + size - used);
      block.set(part, used);
      used += part.length;
      at += part.length;
      if (used < size) continue;
      yield block;
      block = Buffer.allocUnsafeSlow(size);
      used = 0;
    }
  }
  if (used > 0) yield block.subarray(0, used);
}
