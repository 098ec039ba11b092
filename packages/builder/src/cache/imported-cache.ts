import { statfs } from 'node:fs/promises';
import { canonicalJson, isDigest, type Digest, type DiffId } from '@caisson/oci';
import { applyLayer, ChainView, decompressed, encodeToc } from '@caisson/layer';
import type { DistantLayer } from '@caisson/registry';
import {
  digestsIn,
  formId,
  type Session,
  type RecordsPlace,
  type StepRecord,
  type Store,
} from '@caisson/store';
import type { Emit } from '../events.ts';
import { toldBytes } from '../told-bytes.ts';
import { CacheError, whyNotDone, whyUnusable } from './cache-error.ts';
import type { CachePlace } from './cache-place.ts';
import { fetchTexts } from './cache-texts.ts';
import { rememberLayer, type LayerContent } from './layer-content.ts';
import { readCaches, type KnownCaches, type PlacedBlob } from './known-caches.ts';

/** A layer of an imported record that cannot be had after all. */
export class LostLayer extends Error {
  override readonly name = 'LostLayer';
}

/** What importing needs. */
export interface ImportTools {
  readonly store: Store;
  readonly session: Session;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** A record that the build goes by, and where its layer lies: nowhere, if only its stage was of use to an image. */
interface Used {
  readonly record: StepRecord;
  readonly blobs: readonly PlacedBlob[];
}

/**
 * Caches that lie elsewhere, in the order in which they were named. They are read when the store does not have something
 * for the first time, and only manifests and records are: a layer comes when something needs its bytes. What is wrong
 * with a cache is a warning, never the end of a build.
 */
export class ImportedCache {
  readonly #places: readonly CachePlace[];
  readonly #tools: ImportTools;
  #known: Promise<KnownCaches> | undefined;
  #texts: Promise<ReadonlyMap<Digest, string>> | undefined;
  readonly #used = new Map<DiffId, Used>();
  readonly #lost = new Set<PlacedBlob>();
  /** Stages whose records count only where their layers can be had. */
  readonly #missed = new Set<string>();
  readonly #fetches = new Map<DiffId, Promise<void>>();

  constructor(places: readonly CachePlace[], tools: ImportTools) {
    this.#places = places;
    this.#tools = tools;
  }

  /** The record of a key; one whose layer can be had, if there is one. */
  async find(key: Digest): Promise<StepRecord | undefined> {
    const { records, layers } = await this.#load();
    const known = (records.get(key) ?? []).map((record) => ({
      record,
      blobs: layers.get(record.layer.diffId) ?? [],
    }));
    const found =
      known.find(({ blobs }) => blobs.some((blob) => !this.#lost.has(blob))) ??
      known.find(({ record, blobs }) => blobs.length === 0 && !this.#missed.has(stageOf(record)));
    if (found !== undefined) this.#used.set(found.record.layer.diffId, found);
    return found?.record;
  }

  /** Whether there are records of a key, but no layer of theirs. */
  async isLost(key: Digest): Promise<boolean> {
    if (this.#lost.size === 0 && this.#missed.size === 0) return false;
    const { records } = await this.#load();
    return records.has(key) && (await this.find(key)) === undefined;
  }

  /** Records of a place in a Dockerfile, and the texts that digests in them are made from. */
  async near({ op, stage, dockerfile, siblings, text }: RecordsPlace, limit: number): Promise<NearRecords> {
    const { records } = await this.#load();
    const found = [...records.values()]
      .flatMap(([record]) => record ?? [])
      .filter(
        (record) =>
          record.keyRecord['op'] === op &&
          record.stage === stage &&
          record.dockerfile === dockerfile &&
          (record.text === text || !siblings.has(record.text)),
      )
      .toSorted(
        (a, b) => Number(b.text === text) - Number(a.text === text) || (a.created < b.created ? 1 : -1),
      )
      .slice(0, limit);
    return { records: found, parts: found.length === 0 ? new Map() : await this.#loadTexts() };
  }

  /** What a selection from a state is known to count as. */
  async selection(state: Digest, selection: Digest): Promise<Digest | undefined> {
    return (await this.#load()).selections.get(`${state} ${selection}`);
  }

  /** Whether any cache has something that was made on a state, or taken from it. */
  async knows(state: Digest): Promise<boolean> {
    const { records, selections } = await this.#load();
    const isOn = ([record]: readonly StepRecord[]): boolean => record?.keyRecord['state'] === state;
    return (
      [...records.values()].some(isOn) || [...selections.keys()].some((name) => name.startsWith(`${state} `))
    );
  }

  /** The record of a layer that gave a content on a state, with times up to the same epoch. */
  async recordWithContent({ state, content, epoch }: LayerContent): Promise<StepRecord | undefined> {
    const { records, layers } = await this.#load();
    for (const [key, [record]] of records) {
      if (record?.keyRecord['state'] !== state || record.layer.contentDigest !== content) continue;
      if (record.keyRecord['sourceDateEpoch'] !== epoch) continue;
      if (!layers.has(record.layer.diffId)) continue;
      const found = await this.find(key);
      if (found?.layer.contentDigest === content) return found;
    }
    return undefined;
  }

  /**
   * Brings a layer of an imported record into the store, as it lies there: uncompressed.
   * @returns whether it is a layer of such a record
   * @throws LostLayer where it cannot be had, or is not what its record says
   */
  async provide(diffId: DiffId): Promise<boolean> {
    const used = this.#used.get(diffId);
    if (used === undefined) return false;
    const fetching =
      this.#fetches.get(diffId) ?? this.#fetch(used).finally(() => this.#fetches.delete(diffId));
    this.#fetches.set(diffId, fetching);
    await fetching;
    return true;
  }

  /** Where a layer that is not in the store lies. Reading it throws LostLayer where it cannot be had after all. */
  elsewhere(diffId: DiffId): DistantLayer | undefined {
    const blob = this.#used.get(diffId)?.blobs.find((each) => !this.#lost.has(each));
    if (blob === undefined) return undefined;
    const { descriptor, place } = blob;
    return { descriptor, repository: place.repository, open: () => this.#read(blob) };
  }

  /** Ends what needs a layer of an imported record that is in no place. @throws LostLayer */
  refuse(diffId: DiffId): undefined {
    const used = this.#used.get(diffId);
    if (used !== undefined) throw this.#miss(used.record);
  }

  /** The records of its stage that have no layer are none any more: what stands on one most often needs the others. */
  #miss(record: StepRecord): LostLayer {
    this.#missed.add(stageOf(record));
    return new LostLayer('no cache has it');
  }

  async *#read(blob: PlacedBlob): AsyncGenerator<Uint8Array> {
    try {
      yield* blob.place.open(blob.descriptor, this.#tools.signal);
    } catch (error) {
      throw this.#lose(blob, whyUnusable(error), error);
    }
  }

  async #fetch({ record, blobs }: Used): Promise<void> {
    const { store, session } = this.#tools;
    const { layer } = record;
    if (await store.blobs.has(session, layer.diffId)) return;
    let lost: LostLayer | undefined;
    for (const blob of blobs) {
      if (this.#lost.has(blob)) continue;
      try {
        await this.#fetchFrom(blob, layer);
        await this.#keep(record);
        return;
      } catch (error) {
        lost = this.#lose(blob, whyNotDone(error), error);
      }
    }
    throw lost ?? this.#miss(record);
  }

  async #fetchFrom({ place, descriptor }: PlacedBlob, { diffId, size }: StepRecord['layer']): Promise<void> {
    const { store, session, emit, signal } = this.#tools;
    // A few bytes may stand for more than there is room for, and what they stand for is what their record says.
    const { bavail, bsize } = await statfs(store.root);
    const free = bavail * bsize;
    if (size > free) throw new CacheError(`it has ${size} bytes, and ${free} are free on the disk`);
    const { digest, size: travelling } = descriptor;
    const image = place.title;
    const blob = toldBytes(place.open(descriptor, signal), travelling, (received) =>
      emit({ kind: 'fetch', image, digest, received, size: travelling }),
    );
    const bytes = decompressed(blob);
    await store.blobs.put(session, bytes, { digest: diffId, size });
    await this.#look(diffId);
  }

  /**
   * Such a blob is not asked for again: what another cache has takes its place, or the step runs.
   * @param why undefined for what is no fault of the cache's
   */
  #lose(blob: PlacedBlob, why: string | undefined, cause: unknown): LostLayer {
    if (why === undefined) throw cause;
    if (!this.#lost.has(blob)) {
      this.#lost.add(blob);
      const message = `a layer of ${blob.place.title} cannot be used: ${why}`;
      this.#tools.emit({ kind: 'warning', message });
    }
    return new LostLayer(why, { cause });
  }

  /** A layer that cannot be applied is found out here, not when it is used. Our own say all of themselves. */
  async #look(diffId: DiffId): Promise<void> {
    const { store, session, signal } = this.#tools;
    try {
      const source = store.blobs.read(diffId);
      const { toc } = await applyLayer({ source, below: new ChainView([]), signal });
      await store.forms.putToc(session, formId('layer', diffId), encodeToc(toc));
    } catch (error) {
      await store.blobs.remove(diffId);
      throw error;
    }
  }

  /** A record whose layer is here is one of the store's own. */
  async #keep(record: StepRecord): Promise<void> {
    const { store, session } = this.#tools;
    await store.records.put(session, record);
    const all = await this.#loadTexts();
    const { contentDigest, diffId } = record.layer;
    const { created } = record;
    store.pastRecords.add(record, reachable(all, digestsIn(canonicalJson(record.keyRecord))));
    const { state, sourceDateEpoch } = record.keyRecord;
    if (typeof state !== 'string' || !isDigest(state)) return;
    const epoch = typeof sourceDateEpoch === 'number' ? sourceDateEpoch : undefined;
    rememberLayer(store, { state, content: contentDigest, epoch }, { diffId, created });
  }

  /** The text that a digest was made from, where caches were read anyway. */
  async part(digest: Digest): Promise<string | undefined> {
    if (this.#used.size === 0) return undefined;
    return (await this.#loadTexts()).get(digest);
  }

  #load(): Promise<KnownCaches> {
    this.#known ??= readCaches(this.#places, this.#tools.emit, this.#tools.signal);
    return this.#known;
  }

  async #loadTexts(): Promise<ReadonlyMap<Digest, string>> {
    const { parts } = await this.#load();
    this.#texts ??= fetchTexts(parts, this.#tools.signal);
    return this.#texts;
  }
}

/** Records to compare with, and the texts that digests in them are made from. */
export interface NearRecords {
  readonly records: readonly StepRecord[];
  readonly parts: ReadonlyMap<Digest, string>;
}

function stageOf({ dockerfile, stage }: StepRecord): string {
  return JSON.stringify([dockerfile, stage]);
}

/** The texts that can be come to from some digests. */
function reachable(all: ReadonlyMap<Digest, string>, from: readonly Digest[]): Map<Digest, string> {
  const reached = new Map<Digest, string>();
  const open = [...from];
  for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
    const text = all.get(digest);
    if (text === undefined || reached.has(digest)) continue;
    reached.set(digest, text);
    open.push(...digestsIn(text));
  }
  return reached;
}
