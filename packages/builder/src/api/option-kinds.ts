import * as z from 'zod/mini';

/*
 * The kinds of values that options have. The message of an issue says what was expected.
 */

/** A value for which a test holds. @param expected what it should be, for messages */
export function kind<T>(expected: string, test: (value: unknown) => value is T): z.ZodMiniCustom<T, T> {
  return z.custom<T>(test, { error: expected });
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** A text. */
export const text = (expected = 'a text'): z.ZodMiniCustom<string, string> => kind(expected, isText);

/** A text that is not empty. */
export const name = (expected: string): z.ZodMiniCustom<string, string> =>
  kind(expected, (value): value is string => isText(value) && value !== '');

export const flag = kind('true or false', (value): value is boolean => typeof value === 'boolean');

/** A number from `least` on. */
export function number(
  expected: string,
  { least, isWhole }: { readonly least: number; readonly isWhole: boolean },
): z.ZodMiniCustom<number, number> {
  return kind(
    expected,
    (value): value is number =>
      typeof value === 'number' &&
      value >= least &&
      (isWhole ? Number.isSafeInteger(value) : Number.isFinite(value)),
  );
}

/** One of some words. */
export function oneOf<const T extends string>(...words: readonly T[]): z.ZodMiniType<T> {
  return z.custom<T>((value) => words.some((word) => word === value), {
    error: words.map((word) => JSON.stringify(word)).join(', '),
  });
}

/** Something that only has to be there, and is looked at later. */
export function anyOf<T>(expected: string, test: (value: unknown) => boolean): z.ZodMiniType<T> {
  return z.custom<T>(test, { error: expected });
}

/** A list. */
export function list<T>(item: z.ZodMiniType<T>): z.ZodMiniType<readonly T[]> {
  return z.readonly(z.array(item, { error: 'a list' }));
}

/** An object with any names. */
export function record<T>(value: z.ZodMiniType<T>): z.ZodMiniType<Readonly<Record<string, T>>> {
  return z.readonly(z.record(z.string(), value, { error: 'an object' }));
}

/** An object that has these members and no others: of one that it does not know, an issue's message is those it knows. */
export function object<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodMiniObject<z.core.util.Writeable<Shape>, z.core.$strict> {
  const known = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? known : 'an object'),
  });
}

/** The members of an object, and behind each those of its own: `limits`, `limits.memory`. */
export function membersOf(schema: z.core.$ZodType): string[] {
  if (schema instanceof z.ZodMiniOptional) return membersOf(schema.def.innerType);
  if (!(schema instanceof z.ZodMiniObject)) return [];
  return Object.entries(schema.shape).flatMap(([key, of]) => [
    key,
    ...membersOf(of).map((inner) => `${key}.${inner}`),
  ]);
}
