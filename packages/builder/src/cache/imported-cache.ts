import { canonicalJson, isDigest, type Descriptor, type Digest, type DiffId } from '@caisson/oci';
import { applyLayer, ChainView, decompressed, encodeToc } from '@caisson/layer';
import type { DistantLayer } from '@caisson/registry';
import { digestsIn, formId, type Session, type StepPlace, type StepRecord, type Store } from '@caisson/store';
import { errorCode } from '@caisson/sys';
import type { Emit } from '../events.ts';
import { failuresOf } from '../failure-of.ts';
import { stepKey } from '../solve/key.ts';
import { decodeCache, decodeParts, PARTS_TYPE, type CacheDocument } from './cache-document.ts';
import { CacheError } from './folder-cache.ts';
import type { CachePlace } from './cache-place.ts';

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

interface Imported {
  readonly record: StepRecord;
  readonly place: CachePlace;
  /** The layer, as it travels. */
  readonly layer: Descriptor;
}

interface Loaded {
  readonly records: ReadonlyMap<Digest, Imported>;
  readonly selections: ReadonlyMap<string, Digest>;
  readonly parts: readonly { readonly place: CachePlace; readonly descriptor: Descriptor }[];
}

/**
 * Caches that lie elsewhere, in the order in which they were named. They are read when the store does not have something
 * for the first time, and only manifests and records are: a layer comes when something needs its bytes. What is wrong
 * with a cache is a warning, never the end of a build.
 */
export class ImportedCache {
  readonly #places: readonly CachePlace[];
  readonly #tools: ImportTools;
  #loaded: Promise<Loaded> | undefined;
  #parts: Promise<ReadonlyMap<Digest, string>> | undefined;
  readonly #used = new Map<DiffId, Imported>();
  readonly #lost = new Set<DiffId>();
  readonly #fetches = new Map<DiffId, Promise<void>>();

  constructor(places: readonly CachePlace[], tools: ImportTools) {
    this.#places = places;
    this.#tools = tools;
  }

  /** The record of a key. */
  async find(key: Digest): Promise<StepRecord | undefined> {
    const found = (await this.#load()).records.get(key);
    if (found === undefined || this.#lost.has(found.record.layer.diffId)) return undefined;
    this.#used.set(found.record.layer.diffId, found);
    return found.record;
  }

  /** Records of a place in a Dockerfile, and the texts that digests in them are made from. */
  async near({ op, stage, dockerfile, siblings, text }: StepPlace, limit: number): Promise<NearRecords> {
    const { records } = await this.#load();
    const found = [...records.values()]
      .map(({ record }) => record)
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
    return { records: found, parts: found.length === 0 ? new Map() : await this.#loadParts() };
  }

  /** What a selection from a state is known to count as. */
  async selection(state: Digest, selection: Digest): Promise<Digest | undefined> {
    return (await this.#load()).selections.get(`${state} ${selection}`);
  }

  /** The record of a layer that gave a content on a state. */
  async recordWithContent(state: Digest, content: Digest): Promise<StepRecord | undefined> {
    const { records } = await this.#load();
    for (const { record } of records.values()) {
      const { diffId, contentDigest } = record.layer;
      if (record.keyRecord['state'] !== state || contentDigest !== content || this.#lost.has(diffId))
        continue;
      return this.find(record.key);
    }
    return undefined;
  }

  /**
   * Brings a layer of an imported record into the store, as it lies there: uncompressed.
   * @returns whether it is a layer of such a record
   * @throws LostLayer where it cannot be had, or is not what its record says
   */
  async provide(diffId: DiffId): Promise<boolean> {
    const imported = this.#used.get(diffId);
    if (imported === undefined) return false;
    const known = this.#fetches.get(diffId) ?? this.#fetch(imported);
    this.#fetches.set(diffId, known);
    await known;
    return true;
  }

  /** Where a layer that is not in the store lies. */
  elsewhere(diffId: DiffId): DistantLayer | undefined {
    const imported = this.#used.get(diffId);
    if (imported === undefined) return undefined;
    const { place, layer } = imported;
    return {
      descriptor: layer,
      repository: place.repository,
      open: () => this.#watched(imported),
    };
  }

  async #fetch(imported: Imported): Promise<void> {
    const { record, place, layer } = imported;
    const { store, session, signal } = this.#tools;
    const { diffId, size } = record.layer;
    if (await store.blobs.has(session, diffId)) return;
    try {
      const bytes = decompressed(place.open(layer, signal));
      await store.blobs.put(session, bytes, { digest: diffId, size });
      await this.#look(diffId);
    } catch (error) {
      throw this.#loss(imported, error);
    }
    await this.#keep(record);
  }

  /** The bytes of a layer on its way to another place. */
  async *#watched(imported: Imported): AsyncGenerator<Uint8Array> {
    try {
      yield* imported.place.open(imported.layer, this.#tools.signal);
    } catch (error) {
      throw this.#loss(imported, error);
    }
  }

  /** What to throw for a layer that cannot be had: the build goes on as if the cache did not have it. */
  #loss({ record, place }: Imported, error: unknown): unknown {
    const why = whyUnusable(error);
    if (why === undefined) return error;
    const { diffId } = record.layer;
    if (!this.#lost.has(diffId))
      this.#tools.emit({ kind: 'warning', message: `a layer of ${place.title} cannot be used: ${why}` });
    this.#lost.add(diffId);
    this.#used.delete(diffId);
    return new LostLayer(why, { cause: error });
  }

  /** Whether the layer of the record of a key turned out not to be there. */
  async isLost(key: Digest): Promise<boolean> {
    if (this.#lost.size === 0) return false;
    const found = (await this.#load()).records.get(key);
    return found !== undefined && this.#lost.has(found.record.layer.diffId);
  }

  /** A layer that cannot be applied is found out here, not when it is used. Our own say all of themselves. */
  async #look(diffId: DiffId): Promise<void> {
    const { store, session } = this.#tools;
    try {
      const { toc } = await applyLayer({ source: store.blobs.read(diffId), below: new ChainView([]) });
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
    const all = await this.#loadParts();
    const { contentDigest, diffId } = record.layer;
    const { created } = record;
    store.pastRecords.add(record, reachable(all, digestsIn(canonicalJson(record.keyRecord))));
    const state = record.keyRecord['state'];
    if (typeof state === 'string' && isDigest(state))
      store.lookUps.rememberContent(state, contentDigest, { diffId, created });
  }

  /** The text that a digest was made from, where caches were read anyway. */
  async part(digest: Digest): Promise<string | undefined> {
    if (this.#used.size === 0) return undefined;
    return (await this.#loadParts()).get(digest);
  }

  #load(): Promise<Loaded> {
    this.#loaded ??= this.#loadAll();
    return this.#loaded;
  }

  async #loadAll(): Promise<Loaded> {
    const records = new Map<Digest, Imported>();
    const selections = new Map<string, Digest>();
    const parts: { place: CachePlace; descriptor: Descriptor }[] = [];
    const read = await Promise.all(this.#places.map((place) => this.#read(place)));
    for (const found of read) {
      if (found === undefined) continue;
      const { place, layers, document } = found;
      for (const { record, layer: index } of document.records) {
        const layer = layers[index];
        if (layer !== undefined && isOwnKey(record) && !records.has(record.key))
          records.set(record.key, { record, place, layer });
      }
      for (const { state, selection, digest } of document.selections) {
        selections.set(`${state} ${selection}`, digest);
      }
      const descriptor = layers.find(({ mediaType }) => mediaType === PARTS_TYPE);
      if (descriptor !== undefined) parts.push({ place, descriptor });
    }
    return { records, selections, parts };
  }

  async #read(place: CachePlace): Promise<ReadCache | undefined> {
    const { emit, signal } = this.#tools;
    try {
      const found = await place.read(signal);
      if (found === undefined) {
        emit({ kind: 'warning', message: `${place.title} is not there yet` });
        return undefined;
      }
      const document = decodeCache(found.config);
      if (document === undefined) throw new CacheError('its records cannot be read');
      emit({ kind: 'cache-imported', from: place.title, records: document.records.length });
      return { place, layers: found.manifest.layers, document };
    } catch (error) {
      const why = whyUnusable(error);
      if (why === undefined) throw error;
      emit({ kind: 'warning', message: `${place.title} cannot be used: ${why}` });
      return undefined;
    }
  }

  #loadParts(): Promise<ReadonlyMap<Digest, string>> {
    this.#parts ??= this.#fetchParts();
    return this.#parts;
  }

  /** Without them less can be said of why a step runs, and nothing else changes. */
  async #fetchParts(): Promise<ReadonlyMap<Digest, string>> {
    const { signal } = this.#tools;
    const all = new Map<Digest, string>();
    for (const { place, descriptor } of (await this.#load()).parts) {
      try {
        const chunks: Uint8Array[] = [];
        let size = 0;
        for await (const chunk of decompressed(place.open(descriptor, signal))) {
          size += chunk.length;
          if (size > MAX_PARTS) throw new CacheError('its texts are too large');
          chunks.push(chunk);
        }
        for (const [digest, text] of decodeParts(Buffer.concat(chunks))) all.set(digest, text);
      } catch (error) {
        if (whyUnusable(error) === undefined) throw error;
      }
    }
    return all;
  }
}

/** Records to compare with, and the texts that digests in them are made from. */
export interface NearRecords {
  readonly records: readonly StepRecord[];
  readonly parts: ReadonlyMap<Digest, string>;
}

interface ReadCache {
  readonly place: CachePlace;
  readonly layers: readonly Descriptor[];
  readonly document: CacheDocument;
}

const MAX_PARTS = 256 << 20;

/** A record goes by the digest of what it says that it depends on. */
function isOwnKey({ key, keyRecord }: StepRecord): boolean {
  const { op, version } = keyRecord;
  if (typeof op !== 'string' || typeof version !== 'number') return false;
  return stepKey({ ...keyRecord, op, version }) === key;
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

/** Why a cache cannot be used; undefined for an error that is none of the cache's: the build was ended, the disk is full. */
export function whyUnusable(error: unknown): string | undefined {
  if (error instanceof CacheError) return error.message;
  if (error instanceof Error && 'syscall' in error && errorCode(error) !== 'ENOSPC') return error.message;
  const [failure] = failuresOf(error) ?? [];
  if (failure === undefined || failure.code === 'cancelled' || failure.code === 'no-space') return undefined;
  return failure.message;
}
