import type { Digest } from '@caisson/oci';
import type { RecordsPlace, StepRecord } from '@caisson/store';
import { partReader, type EarlierRecord, type EarlierRecords } from '../explain/explain-miss.ts';
import type { StepScope } from './step-scope.ts';

/** How many records of the same place are looked at to find the nearest. */
const CANDIDATES = 20;

/** When it was used is not known, when it was made is. */
function ofElsewhere(record: StepRecord): EarlierRecord {
  return { record, context: undefined, lastUse: Date.parse(record.created) || 0 };
}

/** What earlier builds recorded of a step: here, and in the caches that lie elsewhere. */
export class StepHistory implements EarlierRecords {
  readonly read: EarlierRecords['read'];
  readonly #scope: Pick<StepScope, 'store' | 'imported'>;
  readonly #place: RecordsPlace;
  #records: readonly StepRecord[] = [];
  #elsewhere: ReadonlyMap<Digest, string> = new Map();

  /** @param own what digests in the record of the step itself are made from */
  constructor(
    scope: Pick<StepScope, 'store' | 'imported'>,
    place: RecordsPlace,
    own: ReadonlyMap<Digest, string>,
  ) {
    const { pastRecords } = scope.store;
    this.#scope = scope;
    this.#place = place;
    this.read = partReader(
      (digest) => own.get(digest) ?? pastRecords.part(digest) ?? this.#elsewhere.get(digest),
    );
  }

  had(key: Digest): boolean {
    return this.#scope.store.pastRecords.has(key);
  }

  wasElsewhere(key: Digest): boolean {
    return this.#scope.store.pastRecords.wasImported(key);
  }

  /** Not those of other contexts, where there are others: another folder may well be another project. */
  async near(): Promise<readonly EarlierRecord[]> {
    const { imported } = this.#scope;
    const here = await this.#here();
    const elsewhere = await imported.near(this.#place, CANDIDATES);
    this.#elsewhere = elsewhere.parts;
    const all = [...here, ...elsewhere.records.map(ofElsewhere)];
    this.#records = all.map(({ record }) => record);
    const { context } = this.#place;
    const same = all.filter((each) => each.context === undefined || each.context === context);
    return same.length > 0 ? same : all;
  }

  async #here(): Promise<EarlierRecord[]> {
    const { pastRecords, records } = this.#scope.store;
    const found = pastRecords.near(this.#place, CANDIDATES).map(async ({ key, context, lastUse }) => {
      const record = await records.peek(key);
      return record === undefined ? [] : [{ record, context, lastUse }];
    });
    return (await Promise.all(found)).flat();
  }

  /** Whether a layer is one that a record has which was looked at. */
  hasLayer(diffId: Digest): boolean {
    return this.#records.some(({ layer }) => layer.diffId === diffId);
  }
}
