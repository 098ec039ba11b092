import { readdir, readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { parseDigest, parseIndex, type Digest } from '@caisson/oci';
import { StoreError } from './errors.ts';
import { isSealedIndex } from './image-index.ts';
import { takeInventory } from './inventory.ts';
import { strayObject } from './objects.ts';
import type { Session } from './session.ts';
import { LAYOUT } from './make-store.ts';
import type { Store } from './store.ts';
import { writeDocument } from './write-document.ts';

/** Something in a store that is not what it should be. */
export interface Problem {
  /** Where it lies, seen from the folder of the store. */
  readonly path: string;
  /** What is wrong with it, to be read behind the path. */
  readonly message: string;
  /** What {@link Problem.repair} does, to be read behind the path. */
  readonly remedy: string;
  /** Mends it, mostly by removing it: what can be made or fetched again is, when something needs it. */
  readonly repair: () => Promise<void>;
}

/** Looks at all documents and blobs of a store: whether each is what it was written as. Trees are not looked at. */
export async function* verifyStore(
  store: Store,
  session: Session,
  signal?: AbortSignal,
): AsyncGenerator<Problem> {
  const { layout } = store.paths;
  if ((await readFile(layout, 'utf8').catch(() => undefined)) !== LAYOUT) {
    yield {
      path: relative(store.root, layout),
      message: 'is not what was written',
      remedy: 'written again',
      repair: () => writeDocument(session, layout, LAYOUT, 'synced'),
    };
  }
  yield* verifyBlobs(store, session, signal);
  const index = await readFile(store.paths.index).catch(() => undefined);
  const parsed = index === undefined ? undefined : parseIndex(index);
  if (parsed?.ok !== true) {
    yield damagedIndex(store, session, index === undefined ? 'is not there' : 'is no image index');
    return; // nobody knows what is needed
  }
  if (!isSealedIndex(parsed.value, index ?? Buffer.of())) {
    yield {
      path: 'index.json',
      message: 'was changed by another program, or is damaged',
      remedy: 'taken as it is: look at the names in caisson images',
      repair: () => store.images.seal(session),
    };
  }
  yield* verifyImages(store, session);
  for (const { path, remove } of (await takeInventory(store)).strays) {
    yield {
      path: relative(store.root, path),
      message: 'is not what was written',
      remedy: 'removed',
      repair: async () => void (await remove(session)),
    };
  }
}

async function* verifyBlobs(
  store: Store,
  session: Session,
  signal: AbortSignal | undefined,
): AsyncGenerator<Problem> {
  const { blobs, paths, root } = store;
  for (const hex of (await readdir(paths.blobs)).toSorted()) {
    const digest = parseDigest(`sha256:${hex}`);
    const stray = strayObject(paths.blobs, hex);
    const problem = (message: string, repair: () => Promise<unknown>): Problem => ({
      path: relative(root, stray.path),
      message,
      remedy: 'removed',
      repair: async () => void (await repair()),
    });
    if (!digest.ok) yield problem('has no digest for a name', () => stray.remove(session));
    else if (blobs.size(digest.value) === undefined) yield problem('is no file', () => stray.remove(session));
    else if (!(await isWhole(store, digest.value, signal)))
      yield problem('does not have the digest that it is named by', () => blobs.remove(digest.value));
  }
}

/** Whether a blob is what its name says; one that went away meanwhile is nobody's problem. */
async function isWhole({ blobs }: Store, digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    for await (const _chunk of blobs.read(digest)) signal?.throwIfAborted();
    return true;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'missing-blob') return true;
    if (error instanceof StoreError && error.code === 'corrupt-blob') return false;
    throw error;
  }
}

/** Images that need what is not there. */
async function* verifyImages(store: Store, session: Session): AsyncGenerator<Problem> {
  for (const { descriptor, names, blobs } of await store.images.contents()) {
    const missing = blobs.find((digest) => store.blobs.size(digest) === undefined);
    if (missing === undefined) continue;
    const image = names.length === 0 ? 'an image without a name' : names.join(', ');
    yield {
      path: 'index.json',
      message: `names ${image}, which needs ${missing}, and that is not there`,
      remedy: `does not name ${image} any more: build or pull it again`,
      repair: async () => void (await store.images.remove(session, [descriptor.digest])),
    };
  }
}

function damagedIndex(store: Store, session: Session, message: string): Problem {
  return {
    path: relative(store.root, store.paths.index),
    message,
    remedy: 'made anew, empty; what was there lies beside it as index.json.damaged',
    repair: () => store.images.beginAnew(session),
  };
}
