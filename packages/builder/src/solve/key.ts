import { canonicalJson, digestOf, type Digest, type Json } from '@caisson/oci';

declare const stepKeyBrand: unique symbol;

/** The digest of a key record. Two steps with the same key give the same result. */
export type StepKey = Digest & { readonly [stepKeyBrand]: true };

/**
 * Everything that can change the result of a step, readable. It always says which operation it is of and in which
 * version: a fix that changes what an operation writes raises that number, and old records are not found any more.
 */
export type KeyRecord = Readonly<Record<string, Json>> & { readonly op: string; readonly version: number };

/** The key of a record. */
export function stepKey(record: KeyRecord): StepKey {
  const digest = digestOf(canonicalJson(record));
  if (!isStepKey(digest)) throw new Error('unreachable');
  return digest;
}

function isStepKey(digest: Digest): digest is StepKey {
  return digest.length > 0;
}
