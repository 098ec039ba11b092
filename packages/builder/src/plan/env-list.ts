/** The `Env` of an image config: entries `NAME=value`, each name at the place where it came first. */
export class EnvList {
  readonly #entries: string[];
  /** Where each name stands: an image may have it twice. */
  readonly #places: Map<string, number[]>;

  constructor(entries: readonly string[]) {
    this.#entries = [...entries];
    this.#places = Map.groupBy(entries.keys(), (index) => entries[index]?.split('=', 1)[0] ?? '');
  }

  set(name: string, value: string): void {
    const entry = `${name}=${value}`;
    const places = this.#places.get(name);
    if (places === undefined) this.#places.set(name, [this.#entries.push(entry) - 1]);
    for (const place of places ?? []) this.#entries[place] = entry;
  }

  get entries(): readonly string[] {
    return [...this.#entries];
  }
}
