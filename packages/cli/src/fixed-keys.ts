import { UsageError } from './usage-error.ts';

/** Keys that docker lets one choose the values of and that have always the same here; others are refused. */
export type FixedKeys = Readonly<Record<string, { readonly value: string; readonly why: string }>>;

/** @throws UsageError where one of them is given another value */
export function checkFixedKeys(
  flag: string,
  text: string,
  fields: ReadonlyMap<string, string>,
  fixed: FixedKeys,
): void {
  for (const [name, { value, why }] of Object.entries(fixed)) {
    if ((fields.get(name) ?? value) === value) continue;
    const given = `${name}=${fields.get(name) ?? ''}`;
    const expected = `${name}=${value}, or nothing: ${why}`;
    throw new UsageError(`${flag} ${JSON.stringify(text)}: ${given} is not supported`, { expected });
  }
}
