import { Digester } from '@caisson/oci';
import { decompressed } from './decompress.ts';
import { DecompressThread, type PlainSum } from './decompress-thread.ts';

/** How a tar is read. */
interface Reading {
  /** Whether it is worth a thread of its own. */
  readonly isLarge: boolean;
  /** Ends it, also where nothing comes. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads all of a tar that may be compressed.
 * @param take is given pieces, which do not stay as they are
 * @throws LayerError `invalid-compression`, what the source throws, and what the signal was aborted with
 */
export async function readTar(
  source: AsyncIterable<Uint8Array>,
  { isLarge, signal }: Reading,
  take: (piece: Uint8Array) => void,
): Promise<PlainSum> {
  signal?.throwIfAborted();
  if (isLarge) {
    await using thread = new DecompressThread(source, signal);
    for await (const piece of thread.pieces()) {
      signal?.throwIfAborted();
      take(piece);
    }
    return await thread.sum();
  }
  const digester = new Digester();
  for await (const piece of decompressed(source)) {
    signal?.throwIfAborted();
    digester.update(piece);
    take(piece);
  }
  return { digest: digester.digest(), size: digester.size };
}
