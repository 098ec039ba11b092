import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  digestInTar,
  hostPath,
  isTocOf,
  layerDifference,
  LayerError,
  ROOT,
  textOf,
  Toc,
  wrongInTree,
  type FileEntry,
  type HostPath,
} from '@caisson/layer';
import type { DiffId, Digest } from '@caisson/oci';
import { ownLayer, StoreError, type FormId, type Problem, type Session, type Store } from '@caisson/store';
import { ChainChecks } from './chain-checks.ts';
import { readToc } from '../snapshot/read-toc.ts';
import { tocProblem, treeProblem } from './form-problem.ts';
import { verifyMap } from './verify-maps.ts';

/** How trees are looked at. */
export interface TreeChecks {
  /** Told of each that nothing in the store says anything of, because its layer is gone. */
  readonly onUnknown: (form: FormId) => void;
  readonly signal: AbortSignal;
}

/**
 * Looks at what is derived from layers, trees, maps and tables of contents: whether each is what its layer gives. Blobs must
 * have been looked at before.
 */
export async function* verifyTrees(
  store: Store,
  session: Session,
  { onUnknown, signal }: TreeChecks,
): AsyncGenerator<Problem> {
  const { trees, tocs } = await store.forms.list();
  const { maps, tars } = await store.maps.list();
  const there = new Set([...trees, ...tocs, ...maps, ...tars].toSorted());
  const chains = new ChainChecks(store, session, { there, signal });
  yield* chains.run();
  for (const form of there) {
    await nextTurn();
    signal.throwIfAborted();
    const layer = ownLayer(form);
    if (layer !== undefined && store.blobs.size(layer) !== undefined)
      yield* verifyOwn(store, session, form, layer);
    else if (!chains.seen.has(form)) onUnknown(form);
  }
}

async function* verifyOwn(
  store: Store,
  session: Session,
  form: FormId,
  layer: DiffId,
): AsyncGenerator<Problem> {
  const { forms } = store;
  const text = await forms.rawToc(form);
  if (text === undefined) return; // the tree is made anew with it
  const toc = readToc(text);
  const isRight = toc !== undefined && (await isTocOfLayer(store, toc, layer));
  if (isRight === undefined) return;
  if (!isRight) {
    yield tocProblem(store, form);
    return;
  }
  yield* verifyMap(store, form, toc, layer);
  if (!forms.mayHaveTree(form)) return;
  const own = await ownPart(store, form, toc);
  if (own === undefined) return;
  const wrong = own === 'none' ? ROOT : wrongInTree(hostPath(forms.treePath(form)), own, isContent);
  if (wrong !== undefined) yield treeProblem(store, session, form, textOf(wrong));
}

/**
 * What of a layer its own folder must show: all of it, or what the layer that it lies on does not, whose tree or map is
 * looked at itself. Undefined where nobody can say; none where it cannot lie on that.
 */
async function ownPart({ forms }: Store, form: FormId, toc: Toc): Promise<Toc | 'none' | undefined> {
  const base = forms.baseOf(form);
  if (base === undefined) return toc;
  const text = await forms.rawToc(base);
  const below = readToc(text);
  if (below?.entries.every((entry) => entry.type !== 'file' || entry.digest !== undefined) !== true)
    return undefined;
  const entries = layerDifference(below, toc);
  return entries === undefined ? 'none' : new Toc(entries);
}

/** Whether a file of a tree has the bytes that its table of contents says. */
function isContent({ size, digest }: FileEntry, at: HostPath): boolean {
  return digest === undefined || digestInTar(at, { size }) === digest;
}

/** Undefined where the layer itself is damaged, which is told elsewhere. */
async function isTocOfLayer({ blobs }: Store, toc: Toc, layer: Digest): Promise<boolean | undefined> {
  try {
    return await isTocOf(toc, blobs.read(layer), hostPath(blobs.path(layer)));
  } catch (error) {
    if (error instanceof LayerError || error instanceof StoreError) return undefined;
    throw error;
  }
}
