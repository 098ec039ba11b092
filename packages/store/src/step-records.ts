import { readdir, rm } from 'node:fs/promises';
import * as z from 'zod/mini';
import { isDiffId, isDigest, parseDigest, type DiffId, type Digest, type Json } from '@caisson/oci';
import { fileUsage } from './disk-usage.ts';
import type { StorePaths } from './paths.ts';
import { readSealed, seal } from './sealed.ts';
import type { Session } from './session.ts';
import type { Sizes } from './sizes.ts';
import { writeDocument } from './write-document.ts';

const RECORD_VERSION = 2;

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const diffId = z.custom<DiffId>((value) => typeof value === 'string' && isDiffId(value));
const json: z.ZodMiniType<Json> = z.lazy(() =>
  z.union([z.null(), z.boolean(), z.number(), z.string(), z.array(json), z.record(z.string(), json)]),
);

const stepRecordSchema = z.object({
  version: z.literal(RECORD_VERSION),
  key: digest,
  keyRecord: z.record(z.string(), json),
  layer: z.object({ diffId, size: z.int().check(z.nonnegative()), contentDigest: digest }),
  created: z.iso.datetime(),
  stage: z.string(),
  dockerfile: z.string(),
  text: z.string(),
  platform: z.exactOptional(z.string()),
});

/** What the cache holds of one step: the layer that it gave, under the key of everything that could change it. */
export interface StepRecord {
  readonly key: Digest;
  /** What the key is the digest of. */
  readonly keyRecord: Readonly<Record<string, Json>>;
  readonly layer: {
    readonly diffId: DiffId;
    /** The size of the tar in bytes. */
    readonly size: number;
    readonly contentDigest: Digest;
  };
  /** When the step ran, RFC 3339: the time of the layer in the image's history, however often it is used again. */
  readonly created: string;
  /** The stage's name or number, and the Dockerfile's name: where a later build looks for what it changed. */
  readonly stage: string;
  readonly dockerfile: string;
  /** The instruction in one line. */
  readonly text: string;
  /** What its target was for, where several platforms were built for: `linux/arm64`. */
  readonly platform?: string;
}

/** The records of steps, a file each, named by key and written by rename. One that cannot be read is none. */
export class StepRecords {
  readonly #paths: StorePaths;
  readonly #sizes: Sizes;

  constructor(paths: StorePaths, sizes: Sizes) {
    this.#paths = paths;
    this.#sizes = sizes;
  }

  /** The record of a key; undefined where there is none. */
  async get(session: Session, key: Digest): Promise<StepRecord | undefined> {
    await session.hold(recordName(key));
    return this.#read(key);
  }

  /** The record of a key, to look at: it is not held, and that is no use of it. */
  peek(key: Digest): Promise<StepRecord | undefined> {
    return this.#read(key);
  }

  async put(session: Session, record: StepRecord): Promise<void> {
    await session.hold(recordName(record.key));
    const text = seal(stepRecordJson(record));
    await writeDocument(session, this.#paths.record(record.key), text, 'cached');
    this.#sizes.set(recordName(record.key), fileUsage(this.#paths.record(record.key)), 'measured');
  }

  /** Every record of the store. */
  async list(): Promise<StepRecord[]> {
    const names = await readdir(this.#paths.records);
    const records = await Promise.all(
      names.map(async (name) => {
        const key = parseDigest(`sha256:${name.replace(/\.json$/, '')}`);
        return key.ok ? this.#read(key.value) : undefined;
      }),
    );
    return records.filter((record) => record !== undefined);
  }

  async remove(key: Digest): Promise<void> {
    this.#sizes.forget(recordName(key));
    await rm(this.#paths.record(key), { force: true });
  }

  async #read(key: Digest): Promise<StepRecord | undefined> {
    const record = parseStepRecord(await readSealed(this.#paths.record(key)));
    return record?.key === key ? record : undefined;
  }
}

/** A record as it is written down. */
export function stepRecordJson(record: StepRecord): object {
  return { version: RECORD_VERSION, ...record };
}

/** A record as it was written down; undefined for what is none, or of another version. It may come from anywhere. */
export function parseStepRecord(value: unknown): StepRecord | undefined {
  try {
    const parsed = stepRecordSchema.safeParse(value);
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined; // nested deeper than the stack is
    throw error;
  }
}

/** The name under which a record is held. */
export function recordName(key: Digest): string {
  return `record ${key}`;
}
