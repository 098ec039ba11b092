import { readdir } from 'node:fs/promises';
import { parseDigest, type Descriptor, type Digest } from '@caisson/oci';
import { StoreError } from './errors.ts';
import type { FormId } from './paths.ts';
import type { RememberedBase } from './remembered-bases.ts';
import type { StepRecord } from './step-records.ts';
import type { Store } from './store.ts';

/** All that lies in a store, and what needs what. */
export interface Inventory {
  readonly images: readonly {
    readonly descriptor: Descriptor;
    readonly names: readonly string[];
    readonly blobs: readonly Digest[];
  }[];
  /** By the name that each is held under. */
  readonly bases: ReadonlyMap<string, { readonly base: RememberedBase; readonly blobs: readonly Digest[] }>;
  readonly records: readonly StepRecord[];
  readonly trees: readonly FormId[];
  readonly tocs: readonly FormId[];
  readonly blobs: readonly Digest[];
}

/**
 * Looks at all of a store.
 * @throws StoreError where an image cannot be read: then nobody knows what it needs
 */
export async function takeInventory(store: Store): Promise<Inventory> {
  const images = (await store.images.list()).map((image) => ({
    descriptor: image.descriptor,
    names: image.names,
    blobs: [image.descriptor.digest, image.id, ...image.manifest.layers.map(({ digest }) => digest)],
  }));
  const bases = new Map<string, { base: RememberedBase; blobs: Digest[] }>();
  for (const [name, base] of await store.bases.list()) {
    bases.set(name, { base, blobs: await blobsOfBase(store, base) });
  }
  const { trees, tocs } = await store.forms.list();
  const blobs = (await readdir(store.paths.blobs)).flatMap((hex) => {
    const digest = parseDigest(`sha256:${hex}`);
    return digest.ok ? [digest.value] : [];
  });
  return { images, bases, records: await store.records.list(), trees, tocs, blobs };
}

/** Of a base that is damaged, what is left is of no use. */
async function blobsOfBase(store: Store, { manifest }: RememberedBase): Promise<Digest[]> {
  try {
    const image = await store.images.read(manifest);
    return [manifest.digest, image.id, ...image.manifest.layers.map(({ digest }) => digest)];
  } catch (error) {
    if (error instanceof StoreError) return [];
    throw error;
  }
}
