import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import PQueue from 'p-queue';
import {
  canonicalJson,
  digestOf,
  manifestBytes,
  type Compression,
  type Descriptor,
  type Digest,
  type DiffId,
  type Reference,
} from '@caisson/oci';
import { digestsIn, type Session, type StepRecord, type Store } from '@caisson/store';
import type { Emit } from '../events.ts';
import type { StateLayer } from '../state.ts';
import { atIntervals, eachAtIntervals } from '../at-intervals.ts';
import { toldBytes } from '../told-bytes.ts';
import {
  encodeCache,
  encodeParts,
  PARTS_TYPE,
  RECORDS_TYPE,
  type SharedRecord,
  type SharedSelection,
} from './cache-document.ts';
import { whyNotDone } from './cache-error.ts';
import type { CacheBlob, CachePlace } from './cache-place.ts';
import { LostLayer, type ImportedCache } from './imported-cache.ts';

/** Which layers are exported: those of the image itself, or of every step of the build. Records are of every step. */
export type CacheMode = 'min' | 'max';

/** What exporting needs. */
export interface ExportTools {
  readonly store: Store;
  readonly session: Session;
  readonly imported: ImportedCache;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

const compressed = promisify(zstdCompress);

/** How many layers travel at once. */
const TRANSFERS = 4;

/**
 * A cache on its way to another place. With `max`, a layer travels while later steps run. What goes wrong is a warning,
 * never the end of a build.
 */
export class CacheExport implements AsyncDisposable {
  readonly #place: CachePlace;
  readonly #how: { readonly mode: CacheMode; readonly compression: Compression };
  readonly #tools: ExportTools;
  readonly #queue = new PQueue({ concurrency: TRANSFERS });
  readonly #records = new Map<Digest, StepRecord>();
  readonly #selections = new Map<string, SharedSelection>();
  readonly #layers = new Map<DiffId, Promise<Descriptor>>();
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  #problem: unknown;

  constructor(
    place: CachePlace,
    how: { readonly mode: CacheMode; readonly compression: Compression },
    tools: ExportTools,
  ) {
    this.#place = place;
    this.#how = how;
    this.#tools = tools;
    this.#signal = AbortSignal.any([tools.signal, this.#end.signal]);
  }

  /** Ends what is still on its way: of a build that failed nothing is exported. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    this.#queue.clear();
    await this.#queue.onIdle();
    await this.#place[Symbol.asyncDispose]();
  }

  /** A step's record, as it was found or made. */
  add(record: StepRecord): void {
    this.#records.set(record.key, record);
    if (this.#how.mode === 'max') void this.#send(record.layer.diffId, record.layer.size);
  }

  addSelection(selection: SharedSelection): void {
    this.#selections.set(`${selection.state} ${selection.selection}`, selection);
  }

  /** Sends what is still missing, and makes it the cache. @param layers those of what was built */
  async finish(layers: readonly StateLayer[]): Promise<void> {
    const { emit } = this.#tools;
    const inImage = new Set(layers.map(({ diffId }) => diffId));
    const all = [...this.#records.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
    try {
      const written = await this.#write(all, inImage);
      emit({ kind: 'cache-exported', to: this.#place.title, records: written });
    } catch (error) {
      this.#queue.clear();
      await this.#queue.onIdle();
      const why = whyNotDone(this.#problem ?? error);
      if (why === undefined) throw error;
      emit({ kind: 'warning', message: `${this.#place.title} cannot be written: ${why}` });
    }
  }

  /** @returns how many records are there */
  async #write(records: readonly StepRecord[], inImage: ReadonlySet<DiffId>): Promise<number> {
    const signal = this.#signal;
    const isWanted = ({ layer }: StepRecord): boolean =>
      this.#how.mode === 'max' || inImage.has(layer.diffId);
    const sent = await Promise.all(
      records.map(async (record) => (isWanted(record) ? this.#sentLayer(record) : undefined)),
    );
    const descriptors: Descriptor[] = [];
    const indexes = new Map<Digest, number>();
    const shared = records.flatMap((record, index): SharedRecord[] => {
      const descriptor = sent[index];
      if (descriptor === undefined) return isWanted(record) ? [] : [{ record, layer: undefined }];
      const layer = indexes.get(descriptor.digest) ?? descriptors.push(descriptor) - 1;
      indexes.set(descriptor.digest, layer);
      return [{ record, layer }];
    });
    const parts = blobOf(await compressed(encodeParts(await this.#partsOf(records))), PARTS_TYPE);
    if (!(await this.#place.has(parts.descriptor, signal))) await this.#place.write(parts, [], signal);
    // In an order of their own: the same cache has the same digest, whichever step came first.
    const selections = [...this.#selections].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
    const config = blobOf(encodeCache({ records: shared, selections }), RECORDS_TYPE);
    const manifest = manifestBytes(config.descriptor, [...descriptors, parts.descriptor]);
    await this.#place.finish(manifest, config, signal);
    return shared.length;
  }

  /** A record's layer, as it travelled; undefined where it was lost on its way and nothing made it again. */
  async #sentLayer({ layer: { diffId, size } }: StepRecord): Promise<Descriptor | undefined> {
    // What was lost while the steps ran may be there by now.
    const first = await this.#send(diffId, size).catch(ifLost);
    return first ?? this.#send(diffId, size).catch(ifLost);
  }

  /** Sends a layer, once; one that is lost may be made again and sent then. */
  #send(diffId: DiffId, size: number): Promise<Descriptor> {
    const known = this.#layers.get(diffId);
    if (known !== undefined) return known;
    const sent = this.#queue.add(() => this.#sendNow(diffId, size));
    sent.catch((error: unknown) => {
      if (error instanceof LostLayer) this.#layers.delete(diffId);
      else this.#problem ??= error; // finish() tells
    });
    this.#layers.set(diffId, sent);
    return sent;
  }

  async #sendNow(diffId: DiffId, size: number): Promise<Descriptor> {
    const { store, session, emit } = this.#tools;
    const signal = this.#signal;
    signal.throwIfAborted();
    if (this.#problem !== undefined) throw new Error('given up', { cause: this.#problem });
    if (store.blobs.size(diffId) === undefined) return this.#passOn(diffId);
    const { compression } = this.#how;
    const name = this.#place.title;
    const onCompress = atIntervals(size, (done) =>
      emit({ kind: 'compress', name, digest: diffId, done, size }),
    );
    const onSent = eachAtIntervals((blob, sent) => emit({ kind: 'send', name, ...blob, sent }));
    const options = { store, session, compression, signal, onCompress, onSent };
    return this.#place.writeLayer(diffId, size, options);
  }

  /** Sends a layer from where it lies. @throws LostLayer */
  async #passOn(diffId: DiffId): Promise<Descriptor> {
    const distant = this.#tools.imported.elsewhere(diffId);
    if (distant === undefined) throw new LostLayer('no cache has it');
    const { descriptor, repository, open } = distant;
    if (await this.#place.has(descriptor, this.#signal)) return descriptor;
    const from: Reference[] = repository === undefined ? [] : [{ ...repository }];
    try {
      await this.#writeLayer({ descriptor, open }, from);
      return descriptor;
    } catch (error) {
      if (!(error instanceof LostLayer)) throw error;
      return this.#passOn(diffId); // it may lie in more than one place
    }
  }

  #writeLayer({ descriptor, open }: CacheBlob, from: readonly Reference[]): Promise<void> {
    const { digest, size } = descriptor;
    const name = this.#place.title;
    const tell = (sent: number): void => this.#tools.emit({ kind: 'send', name, digest, sent, size });
    const told = { descriptor, open: () => toldBytes(open(), size, tell) };
    return this.#place.write(told, from, this.#signal);
  }

  async #partsOf(records: readonly StepRecord[]): Promise<Map<Digest, string>> {
    const { store, imported } = this.#tools;
    const parts = new Map<Digest, string>();
    const open = records.flatMap(({ keyRecord }) => digestsIn(canonicalJson(keyRecord)));
    for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
      if (parts.has(digest)) continue;
      const text = store.pastRecords.part(digest) ?? (await imported.part(digest));
      if (text === undefined) continue;
      parts.set(digest, text);
      open.push(...digestsIn(text));
    }
    return parts;
  }
}

function ifLost(error: unknown): undefined {
  if (!(error instanceof LostLayer)) throw error;
}

function blobOf(bytes: Uint8Array, mediaType: string): CacheBlob {
  return {
    descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length },
    open: async function* () {
      yield await Promise.resolve(bytes);
    },
  };
}
