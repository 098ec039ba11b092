import type { Digest } from '@caisson/oci';
import { decompressed } from '@caisson/layer';
import { decodeParts } from './cache-document.ts';
import { CacheError, whyUnusable } from './cache-error.ts';
import type { PlacedBlob } from './known-caches.ts';

const MAX_TEXTS = 256 << 20;

/** A step waits for them before it runs: in milliseconds. */
const PATIENCE = 5000;

/**
 * The texts that digests in the records of caches are made from. Without them less can be said of why a step runs, and
 * nothing else changes: those that do not come soon are left out.
 */
export async function fetchTexts(
  blobs: readonly PlacedBlob[],
  signal: AbortSignal,
  patience = PATIENCE,
): Promise<ReadonlyMap<Digest, string>> {
  const late = AbortSignal.timeout(patience);
  const ended = AbortSignal.any([signal, late]);
  const fetched = await Promise.all(
    blobs.map(async (blob) => {
      try {
        return await fetchBlob(blob, ended);
      } catch (error) {
        if (signal.aborted || (!late.aborted && whyUnusable(error) === undefined)) throw error;
        return [];
      }
    }),
  );
  return new Map(fetched.flatMap((texts) => [...texts]));
}

async function fetchBlob(
  { place, descriptor }: PlacedBlob,
  signal: AbortSignal,
): Promise<ReadonlyMap<Digest, string>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of decompressed(place.open(descriptor, signal))) {
    size += chunk.length;
    if (size > MAX_TEXTS) throw new CacheError('its texts are too large');
    chunks.push(chunk);
  }
  return decodeParts(Buffer.concat(chunks));
}
