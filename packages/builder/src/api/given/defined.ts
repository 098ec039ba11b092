/** The members that are there: an optional one that is undefined is left out. */
export type Defined<T> = { readonly [Name in keyof T]?: Exclude<T[Name], undefined> };

export function defined<T extends object>(members: T): Defined<T>;
export function defined(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
