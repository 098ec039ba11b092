import { Digester } from '@caisson/oci';
import { decompressed } from './decompress.ts';
import { DecompressThread, type PlainSum } from './decompress-thread.ts';

/**
 * Reads all of a tar that may be compressed.
 * @param isLarge whether it is worth a thread of its own
 * @param take is given pieces, which do not stay as they are
 * @throws LayerError `invalid-compression`, and what the source throws
 */
export async function readTar(
  source: AsyncIterable<Uint8Array>,
  isLarge: boolean,
  take: (piece: Uint8Array) => void,
): Promise<PlainSum> {
  if (isLarge) {
    await using thread = new DecompressThread(source);
    for await (const piece of thread.pieces()) take(piece);
    return await thread.sum();
  }
  const digester = new Digester();
  for await (const piece of decompressed(source)) {
    digester.update(piece);
    take(piece);
  }
  return { digest: digester.digest(), size: digester.size };
}
