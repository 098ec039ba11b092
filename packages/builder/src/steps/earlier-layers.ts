import { EarlierLayer, hostPath, sameEntry, type Entry, type Toc } from '@caisson/layer';
import { formId, type FormId, type RecordsPlace } from '@caisson/store';
import type { DiffId } from '@caisson/oci';
import { keptFolders, type CopiedFolder, type KeptFolders } from '../copy/kept-folders.ts';
import type { PlannedLine } from '../copy/planned-lines.ts';
import type { StoredLayer, DeltaBase } from '../copy/write-planned.ts';
import type { StepScope } from './step-scope.ts';

/** A layer that the same step made before, of which a new one takes what is the same. */
export interface EarlierStep {
  readonly layer: StoredLayer & { readonly diffId: DiffId };
  /** The layer on which the tree of a new one may lie, if there is one. */
  readonly base: (DeltaBase & { readonly form: FormId }) | undefined;
}

/** How many layers are looked at: a table of contents of many files takes a while to read. */
const CANDIDATES = 3;
/** How much of an earlier layer must be of use: all of it is read. */
const LEAST_SHARED = 0.5;

/** What they are found with. */
export type EarlierLayersParts = Pick<StepScope, 'store' | 'session' | 'chains' | 'tocs'>;

/** What a step is to take from a layer that it made before. */
export interface Keeping {
  readonly from: EarlierStep;
  readonly kept: KeptFolders;
}

interface Candidate {
  readonly diffId: DiffId;
  readonly size: number;
  readonly toc: Toc;
}

/** Finds layers that earlier builds made in the place of a step. */
export class EarlierLayers {
  readonly #parts: EarlierLayersParts;
  readonly #place: RecordsPlace;
  readonly #version: number;
  readonly #isMounted: boolean;
  /** The last ones, as far as somebody asked for them. */
  readonly #found: Candidate[] = [];
  #rest: AsyncGenerator<Candidate> | undefined;
  #opened: DiffId | undefined;

  /**
   * @param version the version of the operation: what others wrote may have other bytes
   * @param isMounted whether a tree of the new layer would be of use, which may lie on another one
   */
  constructor(parts: EarlierLayersParts, place: RecordsPlace, version: number, isMounted: boolean) {
    this.#isMounted = isMounted;
    this.#parts = parts;
    this.#place = place;
    this.#version = version;
  }

  /** The layer that was opened. */
  get opened(): DiffId | undefined {
    return this.#opened;
  }

  /** What the last layer that an instruction made has of a folder just so, if that is much of the layer. */
  async keeping(copied: CopiedFolder): Promise<Keeping | undefined> {
    const candidate = await this.#candidate(0);
    if (candidate === undefined) return undefined;
    const kept = keptFolders(copied, candidate.toc);
    let bytes = 0;
    for (const entries of kept.values()) for (const entry of entries) bytes += sizeInTar(entry);
    if (kept.size === 0 || bytes < LEAST_SHARED * candidate.size) return undefined;
    const from = await this.#open(candidate);
    return from && fits(from) ? { from, kept } : undefined;
  }

  /** The last layer that an instruction made, if it has much of what is to be written. */
  async find(lines: readonly PlannedLine[]): Promise<EarlierStep | undefined> {
    for (let index = 0; ; index++) {
      const candidate = await this.#candidate(index);
      if (candidate === undefined) return undefined;
      if (!isShared(lines, candidate.toc, LEAST_SHARED * candidate.size)) continue;
      const step = await this.#open(candidate);
      if (step !== undefined) return step;
    }
  }

  /** A layer, to take what it has; undefined where it is not there any more. */
  async #open({ diffId, toc }: Candidate): Promise<EarlierStep | undefined> {
    const { session, store } = this.#parts;
    if (!(await store.blobs.has(session, diffId))) return undefined;
    this.#opened = diffId;
    return {
      layer: { diffId, toc, tar: hostPath(store.blobs.path(diffId)) },
      base: this.#isMounted ? await this.#baseOf(diffId, toc) : undefined,
    };
  }

  async #candidate(index: number): Promise<Candidate | undefined> {
    this.#rest ??= this.#candidates();
    while (index >= this.#found.length) {
      const next = await this.#rest.next();
      if (next.done === true) return undefined;
      this.#found.push(next.value);
    }
    return this.#found[index];
  }

  async *#candidates(): AsyncGenerator<Candidate> {
    const { store, tocs } = this.#parts;
    const looked = new Set<DiffId>();
    for (const { key } of store.pastRecords.near(this.#place, CANDIDATES)) {
      const record = await store.records.peek(key);
      if (record?.keyRecord['version'] !== this.#version || looked.has(record.layer.diffId)) continue;
      const { diffId, size } = record.layer;
      looked.add(diffId);
      const toc = await tocs.peek(formId('layer', diffId));
      if (toc !== undefined) yield { diffId, size, toc };
    }
  }

  async #baseOf(diffId: DiffId, toc: Toc): Promise<EarlierStep['base']> {
    const form = formId('layer', diffId);
    const { session, chains, tocs } = this.#parts;
    const base = await chains.baseFor(form);
    if (base === undefined) return undefined;
    return { form: base, toc: async () => (base === form ? toc : tocs.get(session, base)) };
  }
}

/** Whether the table of contents of a layer says where everything lies in its tar. */
function fits({ layer: { toc, tar, diffId } }: EarlierStep): boolean {
  using opened = EarlierLayer.open(toc, tar, diffId);
  return opened !== undefined;
}

/** What a header and the rounding of sizes take of a tar, about. */
const OVERHEAD = 768;

function sizeInTar(entry: Entry): number {
  return OVERHEAD + (entry.type === 'file' ? entry.size : 0);
}

/** Whether so many bytes of a layer, about, are those that are to be written. */
function isShared(lines: readonly PlannedLine[], toc: Toc, least: number): boolean {
  let bytes = 0;
  for (const { entry } of lines) {
    const there = toc.get(entry.path);
    if (there === undefined || !sameEntry(there, entry)) continue;
    bytes += sizeInTar(entry);
    if (bytes >= least) return true;
  }
  return least <= 0;
}
