/** What is made for whoever asks first, and given to all who ask for the same later. */
export class Once<Key, Value extends object> {
  readonly #made = new Map<Key, Value>();

  /** What is there for a key; where that is nothing, what `make` gives. */
  get(key: Key, make: () => Value): Value {
    const value = this.#made.get(key) ?? make();
    this.#made.set(key, value);
    return value;
  }

  has(key: Key): boolean {
    return this.#made.has(key);
  }

  values(): Iterable<Value> {
    return this.#made.values();
  }

  /** Forgets all: what is asked for from now on is made anew. */
  clear(): void {
    this.#made.clear();
  }
}
