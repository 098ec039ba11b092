import type { Manifest } from '@caisson/oci';
import { StoreError, type Store } from '@caisson/store';
import type { EarlierImage } from '../events.ts';
import { lastReports } from '../report/read-report.ts';

/** Among how many of the last builds is looked for one of the same Dockerfile: each takes its time to be read. */
const RECENT = 10;

/** What an image is to be compared with. */
export interface Successor {
  /** Its full names. */
  readonly names: readonly string[];
  /** What it is built from. */
  readonly context: string | undefined;
  readonly dockerfile: string;
  readonly target: string;
}

/** The image that another one takes the place of; undefined where there is none, or it is damaged. */
export async function earlierImage(
  store: Store,
  { names: [name], context, dockerfile, target }: Successor,
): Promise<EarlierImage | undefined> {
  if (name !== undefined) {
    const image = await namedImage(store, name);
    return image === undefined ? undefined : { id: image.id, size: imageSize(image.manifest) };
  }
  for await (const { imageId: id, size, ...report } of lastReports(store, RECENT)) {
    const isOfThis =
      report.result === 'built' &&
      report.context === context &&
      report.dockerfile === dockerfile &&
      report.target === target;
    if (isOfThis && id !== undefined && size !== undefined) return { id, size };
  }
  return undefined;
}

async function namedImage(store: Store, name: string): ReturnType<Store['images']['named']> {
  try {
    return await store.images.named(name);
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

/** What the layers of an image take, in bytes. */
export function imageSize({ layers }: Manifest): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}
