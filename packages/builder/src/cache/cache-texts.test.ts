import { describe, expect, test } from 'vitest';
import { digestOf } from '@caisson/oci';
import { encodeParts, PARTS_TYPE } from './cache-document.ts';
import { fetchTexts } from './cache-texts.ts';
import type { PlacedBlob } from './known-caches.ts';
import { FakePlace } from './testing/fake-place.ts';

/** A cache that has a text. */
function placeWith(text: string): {
  readonly place: FakePlace;
  readonly descriptor: PlacedBlob['descriptor'];
} {
  const bytes = encodeParts(new Map([[digestOf(text), text]]));
  const descriptor = { mediaType: PARTS_TYPE, digest: digestOf(bytes), size: bytes.length };
  const place = new FakePlace(text);
  place.blobs.set(descriptor.digest, bytes);
  return { place, descriptor };
}

describe('the texts of caches', () => {
  test('are had from those that answer soon', async () => {
    const [good, silent, damaged] = [placeWith('good'), placeWith('silent'), placeWith('damaged')];
    silent.place.hanging.add(silent.descriptor.digest);
    damaged.place.damaged.add(damaged.descriptor.digest);
    const startedAt = performance.now();
    const texts = await fetchTexts([silent, damaged, good], new AbortController().signal, 200);
    expect([...texts.values()]).toStrictEqual(['good']);
    expect(performance.now() - startedAt).toBeLessThan(5000); // it hangs for a minute
  });

  test('are not waited for by a build that was ended', async () => {
    const silent = placeWith('silent');
    silent.place.hanging.add(silent.descriptor.digest);
    const end = new AbortController();
    setTimeout(() => end.abort(), 50);
    await expect(fetchTexts([silent], end.signal, 30_000)).rejects.toThrow(/abort/);
  });
});
