/** What JSON can hold, as Caisson hashes it: no undefined, no numbers that are not finite. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * JSON in one form only: names sorted by UTF-16 code units (never by locale), no white space. Two equal values give
 * equal bytes on every machine, which is what keys and digests need.
 * @see https://www.rfc-editor.org/rfc/rfc8785 (the same order and number form)
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new Error(`Internal error: ${value} is not JSON`);
    return JSON.stringify(value);
  }
  if (isJsonArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** Whether a value is a list. `Array.isArray` does not tell of readonly ones. */
export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
