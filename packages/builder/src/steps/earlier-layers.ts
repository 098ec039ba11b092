import { hostPath, sameEntry, type Toc } from '@caisson/layer';
import { formId, type FormId, type Session, type StepPlace, type Store } from '@caisson/store';
import type { DiffId } from '@caisson/oci';
import type { PlannedLine } from '../copy/planned-lines.ts';
import type { StoredLayer } from '../copy/write-planned.ts';
import type { Chains } from '../snapshot/chains.ts';
import type { StoredTocs } from '../snapshot/stored-tocs.ts';
import type { StepScope } from './step-scope.ts';

/** A layer that the same step made before, of which a new one takes what is the same. */
export interface EarlierStep {
  readonly layer: StoredLayer & { readonly diffId: DiffId };
  /** The layer on which the tree of a new one may lie, if there is one. */
  readonly base: { readonly form: FormId; readonly toc: Toc } | undefined;
}

/** How many layers are looked at: a table of contents of many files takes a while to read. */
const CANDIDATES = 3;
/** How much of an earlier layer must be of use: all of it is read. */
const LEAST_SHARED = 0.5;

/** What they are found with. */
export type EarlierLayersParts = Pick<StepScope, 'store' | 'session' | 'chains' | 'tocs'>;

/** Finds layers that earlier builds made in the place of a step. */
export class EarlierLayers {
  readonly #store: Store;
  readonly #session: Session;
  readonly #chains: Chains;
  readonly #tocs: StoredTocs;

  constructor({ store, session, chains, tocs }: EarlierLayersParts) {
    this.#store = store;
    this.#session = session;
    this.#chains = chains;
    this.#tocs = tocs;
  }

  /**
   * The last layer that an instruction made, if it has much of what is to be written.
   * @param version the version of the operation: what others wrote may have other bytes
   * @param isMounted whether a tree of the new layer would be of use, which may lie on another one
   */
  async find(
    place: StepPlace,
    version: number,
    lines: readonly PlannedLine[],
    isMounted: boolean,
  ): Promise<EarlierStep | undefined> {
    const { pastRecords, records, blobs } = this.#store;
    const looked = new Set<DiffId>();
    for (const { key } of pastRecords.near(place, CANDIDATES)) {
      const record = await records.peek(key);
      if (record?.keyRecord['version'] !== version || looked.has(record.layer.diffId)) continue;
      const { diffId, size } = record.layer;
      looked.add(diffId);
      const toc = await this.#tocs.peek(formId('layer', diffId));
      if (toc === undefined || !isShared(lines, toc, LEAST_SHARED * size)) continue;
      if (!(await blobs.has(this.#session, diffId))) continue;
      const tar = hostPath(blobs.path(diffId));
      return {
        layer: { diffId, toc, tar },
        base: isMounted ? await this.#baseOf(diffId, toc) : undefined,
      };
    }
    return undefined;
  }

  async #baseOf(diffId: DiffId, toc: Toc): Promise<EarlierStep['base']> {
    const form = formId('layer', diffId);
    const base = await this.#chains.baseFor(form);
    if (base === undefined) return undefined;
    const baseToc = base === form ? toc : await this.#tocs.get(this.#session, base);
    return baseToc === undefined ? undefined : { form: base, toc: baseToc };
  }
}

/** What a header and the rounding of sizes take of a tar, about. */
const OVERHEAD = 768;

/** Whether so many bytes of a layer, about, are those that are to be written. */
function isShared(lines: readonly PlannedLine[], toc: Toc, least: number): boolean {
  let bytes = 0;
  for (const { entry } of lines) {
    const there = toc.get(entry.path);
    if (there === undefined || !sameEntry(there, entry)) continue;
    bytes += OVERHEAD + (entry.type === 'file' ? entry.size : 0);
    if (bytes >= least) return true;
  }
  return least <= 0;
}
