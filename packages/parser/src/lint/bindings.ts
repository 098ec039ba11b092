/** What a name is bound to: a value, or nothing where an ARG without one declares it. */
interface Binding {
  readonly value: string | undefined;
  /** When it was made. */
  readonly at: number;
}

/**
 * The variables of a stage as they are at one place of it. All places share one list of what was ever set, so that a
 * Dockerfile with many variables does not need as many copies of them.
 */
export class Bindings {
  readonly #log: BindingLog;
  /** What came later is not seen. */
  readonly #at: number;

  private constructor(log: BindingLog, at: number) {
    this.#log = log;
    this.#at = at;
  }

  static of(variables: Iterable<readonly [string, string]>): Bindings {
    const log = new BindingLog(undefined);
    for (const [name, value] of variables) log.add(name, value);
    return new Bindings(log, log.length);
  }

  /** With some names bound anew. */
  with(variables: Iterable<readonly [string, string | undefined]>): Bindings {
    // Another place went on from here already: this one goes on elsewhere.
    const log = this.#log.length === this.#at ? this.#log : new BindingLog(this);
    for (const [name, value] of variables) log.add(name, value);
    return new Bindings(log, log.length);
  }

  /** The value of a name: empty where it is declared without one, undefined where it is not there. */
  get(name: string): string | undefined {
    for (const place of Bindings.#fromTop(this)) {
      const binding = place.#log.find(name, place.#at);
      if (binding !== undefined) return binding.value ?? '';
    }
    return undefined;
  }

  /** The names, up to a number of them. */
  names(limit: number): string[] {
    const names = new Set<string>();
    for (const place of Bindings.#fromTop(this)) {
      for (const name of place.#log.names) {
        if (names.size >= limit) return [...names];
        if (place.#log.find(name, place.#at) !== undefined) names.add(name);
      }
    }
    return [...names];
  }

  /** A place, and those that it goes on from. */
  static *#fromTop(top: Bindings): Generator<Bindings> {
    for (let place: Bindings | undefined = top; place !== undefined; place = place.#log.below) yield place;
  }
}

class BindingLog {
  /** What is seen where nothing is bound here. */
  readonly below: Bindings | undefined;
  readonly #bindings = new Map<string, Binding[]>();
  #length = 0;

  constructor(below: Bindings | undefined) {
    this.below = below;
  }

  /** How many bindings were made. */
  get length(): number {
    return this.#length;
  }

  get names(): Iterable<string> {
    return this.#bindings.keys();
  }

  add(name: string, value: string | undefined): void {
    const known = this.#bindings.get(name);
    const binding = { value, at: this.#length++ };
    if (known === undefined) this.#bindings.set(name, [binding]);
    else known.push(binding);
  }

  /** The last binding of a name before a time. */
  find(name: string, before: number): Binding | undefined {
    return this.#bindings.get(name)?.findLast(({ at }) => at < before);
  }
}
