import { digestOf, type Digest, type Json } from '@caisson/oci';
import type { StepRecord } from '@caisson/store';
import type { KeyRecord, StepKey } from '../solve/key.ts';
import { compareRecords, distance, type StepToExplain } from './compare-records.ts';
import type { PartReader } from './compare-selections.ts';
import type { Change, MissReason } from '../solve/miss-reason.ts';

/** A record to compare with. */
export interface EarlierRecord {
  readonly record: StepRecord;
  /** What it was built of, as far as that is known. */
  readonly context: string | undefined;
  /** When a build used or made it, in milliseconds since 1970; 0 where nothing is known of it. */
  readonly lastUse: number;
}

/** Where records are looked for to compare with. */
export interface EarlierRecords {
  /** Whether there was a record of a key. */
  had(key: Digest): boolean;
  /** Whether a shared cache had one. */
  wasElsewhere(key: Digest): boolean;
  /** Records of the same place in a Dockerfile, those that are likely to be the nearest first. */
  near(): Promise<readonly EarlierRecord[]>;
  readonly read: PartReader;
}

/**
 * Why a step must run: what it has differently from the record that it is nearest to, which has the fewest fields that
 * differ, then the longest part of the command in common, then is for the same of several platforms, then was used last: of
 * the build before this one, most often.
 */
export async function explainMiss(
  key: StepKey,
  record: KeyRecord,
  step: StepToExplain,
  earlier: EarlierRecords,
): Promise<MissReason> {
  if (earlier.had(key)) return { kind: 'evicted' };
  if (earlier.wasElsewhere(key)) return { kind: 'not-fetched' };
  const nearest = nearestOf(record, step, await earlier.near());
  if (nearest === undefined) return { kind: 'no-record' };
  const { key: than, keyRecord } = nearest.record;
  const changes = compareRecords(keyRecord, record, step, earlier.read);
  const { context } = nearest;
  if (context === undefined || context === step.context) return { kind: 'changed', than, changes };
  return isAlike(changes) ? { kind: 'changed', than, changes, context } : { kind: 'no-record' };
}

/** Whether two steps of different contexts may well be one: of a project that lies at two places, not of two projects. */
function isAlike(changes: readonly Change[]): boolean {
  return changes.every((change) => {
    if (change.kind === 'field') return false;
    return change.kind !== 'files' || change.files.some((file) => file.change === 'changed');
  });
}

function nearestOf(
  record: KeyRecord,
  { platform }: StepToExplain,
  candidates: readonly EarlierRecord[],
): EarlierRecord | undefined {
  const ranked = candidates.map((candidate) => ({
    candidate,
    differing: distance(candidate.record.keyRecord, record),
    common: commonCommand(candidate.record.keyRecord['args'], record['args']),
    isOther: Number(isOther(platform, candidate.record.platform)),
  }));
  const [first] = ranked.toSorted(
    (a, b) =>
      a.differing - b.differing ||
      b.common - a.common ||
      a.isOther - b.isOther ||
      b.candidate.lastUse - a.candidate.lastUse ||
      (a.candidate.record.created < b.candidate.record.created ? 1 : -1),
  );
  return first?.candidate;
}

/** Whether two steps are for different ones of several platforms. */
function isOther(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

/** How many characters two commands begin with in common. */
function commonCommand(a: Json | undefined, b: Json | undefined): number {
  const [one, other] = [textOfCommand(a), textOfCommand(b)];
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  return at;
}

/** A command as it is read: how its words are kept is no part of it. */
function textOfCommand(args: Json | undefined): string {
  return Array.isArray(args) ? args.join(' ') : '';
}

/** Reads parts as JSON; what is not what its digest says, or no JSON, as one of an imported cache may be, is none. */
export function partReader(textOf: (digest: Digest) => string | undefined): PartReader {
  return (digest) => {
    const text = textOf(digest);
    if (text === undefined || digestOf(text) !== digest) return undefined;
    try {
      const json: unknown = JSON.parse(text);
      return isJson(json) ? json : undefined;
    } catch {
      return undefined;
    }
  };
}

/** What JSON.parse gives is JSON. */
function isJson(_value: unknown): _value is Json {
  return true;
}
