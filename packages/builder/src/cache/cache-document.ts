import * as z from 'zod/mini';
import { isDigest, type Digest } from '@caisson/oci';
import { parseStepRecord, stepRecordJson, type StepRecord } from '@caisson/store';

/** What the config of a cache's manifest is. */
export const RECORDS_TYPE = 'application/vnd.caisson.cache.records.v1+json';
/** What the last blob of a cache is: the texts that digests in records are made from. */
export const PARTS_TYPE = 'application/vnd.caisson.cache.parts.v1+json';

/** A record of a cache that lies elsewhere. */
export interface SharedRecord {
  readonly record: StepRecord;
  /** Which of the manifest's layers has its files, from 0; undefined where the cache does not have them. */
  readonly layer: number | undefined;
}

/** What is known to be selected from a state: see selection-of-state.ts. */
export interface SharedSelection {
  readonly state: Digest;
  readonly selection: Digest;
  readonly digest: Digest;
}

/** The records of a cache, as it is exported: the config of its manifest. */
export interface CacheDocument {
  readonly records: readonly SharedRecord[];
  readonly selections: readonly SharedSelection[];
}

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const documentSchema = z.object({
  version: z.literal(1),
  records: z.array(z.object({ record: z.unknown(), layer: z.optional(z.int().check(z.nonnegative())) })),
  selections: z.array(z.object({ state: digest, selection: digest, digest })),
});

/** A document as bytes. */
export function encodeCache({ records, selections }: CacheDocument): Uint8Array {
  const json = {
    version: 1,
    records: records.map(({ record, layer }) => ({ record: stepRecordJson(record), layer })),
    selections,
  };
  return Buffer.from(JSON.stringify(json), 'utf8');
}

/** A document of bytes; undefined for what is none. Records that another version wrote are left out. */
export function decodeCache(bytes: Uint8Array): CacheDocument | undefined {
  const parsed = documentSchema.safeParse(jsonOf(bytes));
  if (!parsed.success) return undefined;
  const records = parsed.data.records.flatMap(({ record: value, layer }) => {
    const record = parseStepRecord(value);
    return record === undefined ? [] : [{ record, layer }];
  });
  return { records, selections: parsed.data.selections };
}

const partsSchema = z.record(z.string(), z.string());

/** Texts as bytes, by digest. */
export function encodeParts(parts: ReadonlyMap<Digest, string>): Uint8Array {
  return Buffer.from(
    JSON.stringify(Object.fromEntries([...parts].toSorted(([a], [b]) => (a < b ? -1 : 1)))),
    'utf8',
  );
}

/** Texts of bytes. What their digests say is for whoever uses one to check. */
export function decodeParts(bytes: Uint8Array): Map<Digest, string> {
  const parsed = partsSchema.safeParse(jsonOf(bytes));
  const parts = new Map<Digest, string>();
  for (const [name, text] of Object.entries(parsed.success ? parsed.data : {})) {
    if (isDigest(name)) parts.set(name, text);
  }
  return parts;
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
