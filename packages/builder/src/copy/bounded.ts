/** How far bytes are read. */
export interface Bounds {
  /** How many there may be. */
  readonly limit: number;
  /** What is thrown where there are more. */
  readonly tooMany: () => Error;
  readonly signal: AbortSignal;
}

/** The bytes of a source, up to a limit, and for as long as somebody wants them. */
export async function* bounded(
  source: AsyncIterable<Uint8Array>,
  { limit, tooMany, signal }: Bounds,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    signal.throwIfAborted();
    size += chunk.length;
    if (size > limit) throw tooMany();
    yield chunk;
  }
}
