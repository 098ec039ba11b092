import { readdir } from 'node:fs/promises';
import { chainIds, parseDigest, type Digest } from '@caisson/oci';
import { StoreError } from './errors.ts';
import type { ImageContents } from './image-index.ts';
import { baseObject, recordObject, strayObject, type StoreObject } from './objects.ts';
import { formId, type FormId } from './paths.ts';
import type { RememberedBase } from './remembered-bases.ts';
import type { StepRecord } from './step-records.ts';
import type { Store } from './store.ts';

/** A remembered base and what belongs to it. */
export interface BaseContents {
  readonly base: RememberedBase;
  readonly blobs: readonly Digest[];
  /** What its layers are called as trees, maps and tables of contents. */
  readonly forms: readonly FormId[];
}

/** All that lies in a store. */
export interface Inventory {
  readonly images: readonly ImageContents[];
  readonly bases: readonly BaseContents[];
  readonly records: readonly StepRecord[];
  readonly trees: ReadonlySet<FormId>;
  readonly tocs: ReadonlySet<FormId>;
  readonly maps: ReadonlySet<FormId>;
  /** Layers whose tar lies beside their map. */
  readonly tars: ReadonlySet<FormId>;
  readonly blobs: ReadonlySet<Digest>;
  readonly cacheMounts: readonly string[];
  /** The builds that left logs. */
  readonly logs: readonly string[];
  /** Files that nobody can read, or knows. */
  readonly strays: readonly StoreObject[];
}

/** Looks at all of a store. Of what is damaged, what can be read counts. */
export async function takeInventory(store: Store): Promise<Inventory> {
  const { paths } = store;
  const bases = await store.bases.list();
  const records = await store.records.list();
  const { trees, tocs } = await store.forms.list();
  const { maps, tars } = await store.maps.list();
  const known = new Set([
    ...bases.map((base) => baseObject(store, base).path),
    ...records.map(({ key }) => recordObject(store, key).path),
  ]);
  const strays: StoreObject[] = [];
  for (const folder of [paths.records, paths.bases]) {
    for (const file of await readdir(folder)) {
      const stray = strayObject(folder, file);
      if (!known.has(stray.path)) strays.push(stray);
    }
  }
  const blobs = (await readdir(paths.blobs)).flatMap((hex) => {
    const digest = parseDigest(`sha256:${hex}`);
    return digest.ok ? [digest.value] : [];
  });
  return {
    images: await store.images.contents(),
    bases: await Promise.all(bases.map((base) => contentsOfBase(store, base))),
    records,
    trees: new Set(trees),
    tocs: new Set(tocs),
    maps: new Set(maps),
    tars: new Set(tars),
    blobs: new Set(blobs),
    cacheMounts: store.cacheMounts.slots(),
    logs: await store.logs.builds(),
    strays,
  };
}

/** Of a base that is damaged, what is left is of no use. */
async function contentsOfBase(store: Store, base: RememberedBase): Promise<BaseContents> {
  const { manifest } = base;
  try {
    const image = await store.images.read(manifest);
    const layers = image.manifest.layers.map(({ digest }) => digest);
    const chains = chainIds(image.config.rootfs.diff_ids);
    return {
      base,
      blobs: [manifest.digest, image.id, ...layers],
      forms: chains.map((chain) => formId('chain', chain)),
    };
  } catch (error) {
    if (error instanceof StoreError) return { base, blobs: [manifest.digest], forms: [] };
    throw error;
  }
}
