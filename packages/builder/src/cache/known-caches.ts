import { layerMediaType, type Descriptor, type Digest, type DiffId } from '@caisson/oci';
import type { StepRecord } from '@caisson/store';
import type { Emit } from '../events.ts';
import { stepKey } from '../solve/key.ts';
import { decodeCache, PARTS_TYPE, type CacheDocument } from './cache-document.ts';
import { CacheError, whyUnusable } from './cache-error.ts';
import type { CachePlace } from './cache-place.ts';

/** A blob, and where it lies. */
export interface PlacedBlob {
  readonly place: CachePlace;
  readonly descriptor: Descriptor;
}

/** What caches have, the first that was named first. */
export interface KnownCaches {
  /** The records of a key: those that other caches have of it are for when the layer of the first is lost. */
  readonly records: ReadonlyMap<Digest, readonly StepRecord[]>;
  /** Where each layer lies, as it travels. Not every record's does. */
  readonly layers: ReadonlyMap<DiffId, readonly PlacedBlob[]>;
  /** What selections from states count as: `STATE SELECTION`. */
  readonly selections: ReadonlyMap<string, Digest>;
  /** The texts that digests in records are made from. */
  readonly parts: readonly PlacedBlob[];
}

/** Reads the manifests and the records of caches. What is wrong with one is told as a warning. */
export async function readCaches(
  places: readonly CachePlace[],
  emit: Emit,
  signal: AbortSignal,
): Promise<KnownCaches> {
  const records = new Map<Digest, StepRecord[]>();
  const layers = new Map<DiffId, PlacedBlob[]>();
  const selections = new Map<string, Digest>();
  const parts: PlacedBlob[] = [];
  for (const found of await Promise.all(places.map((place) => readCache(place, emit, signal)))) {
    if (found === undefined) continue;
    const { place, blobs, document } = found;
    for (const { record, layer: index } of document.records) {
      const descriptor = index === undefined ? undefined : layerOf(blobs[index]);
      if ((index !== undefined && descriptor === undefined) || !isOwnKey(record)) continue;
      append(records, record.key, record, ({ layer }) => layer.diffId === record.layer.diffId);
      if (descriptor === undefined) continue;
      const isThis = (other: PlacedBlob): boolean =>
        other.place === place && other.descriptor.digest === descriptor.digest;
      append(layers, record.layer.diffId, { place, descriptor }, isThis);
    }
    for (const { state, selection, digest } of document.selections) {
      selections.set(`${state} ${selection}`, digest);
    }
    const texts = blobs.find(({ mediaType }) => mediaType === PARTS_TYPE);
    if (texts !== undefined) parts.push({ place, descriptor: bare(texts) });
  }
  return { records, layers, selections, parts };
}

interface ReadCache {
  readonly place: CachePlace;
  readonly blobs: readonly Descriptor[];
  readonly document: CacheDocument;
}

async function readCache(place: CachePlace, emit: Emit, signal: AbortSignal): Promise<ReadCache | undefined> {
  try {
    const found = await place.read(signal);
    if (found === undefined) {
      emit({ kind: 'warning', message: `${place.title} is not there yet` });
      return undefined;
    }
    const document = decodeCache(found.config);
    if (document === undefined) throw new CacheError('its records cannot be read');
    emit({ kind: 'cache-imported', from: place.title, records: document.records.length });
    return { place, blobs: found.manifest.layers, document };
  } catch (error) {
    const why = whyUnusable(error);
    if (why === undefined) throw error;
    emit({ kind: 'warning', message: `${place.title} cannot be used: ${why}` });
    return undefined;
  }
}

/** A record goes by the digest of what it says that it depends on. */
function isOwnKey({ key, keyRecord }: StepRecord): boolean {
  const { op, version } = keyRecord;
  if (typeof op !== 'string' || typeof version !== 'number') return false;
  return stepKey({ ...keyRecord, op, version }) === key;
}

/** A layer as an export writes it. It may become one of an image's: nothing else that a descriptor can say gets there. */
function layerOf(descriptor: Descriptor | undefined): Descriptor | undefined {
  return descriptor !== undefined && TYPES.has(descriptor.mediaType) ? bare(descriptor) : undefined;
}

function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

const TYPES: ReadonlySet<string> = new Set(
  (['none', 'gzip', 'zstd'] as const).map((compression) => layerMediaType(compression)),
);

function append<K, V>(map: Map<K, V[]>, key: K, value: V, isSame: (other: V) => boolean): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else if (!values.some(isSame)) values.push(value);
}
