import type { Database } from './database.ts';

/** Under this name: that every object has a size, so that their sum is that of the store. */
const ALL = 'all';
/** What named images need of the store. It holds for one state of index.json. */
const NAMED = 'named';

/**
 * A running figure of what the objects of the store take on the disk, in bytes: noted when they get their names, so
 * that nobody has to walk the store to know it. It is derived: where it is lost, the store is measured again.
 */
export class Sizes {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Notes what an object takes, as measured; or, for a folder that was just written, as it is thought to be. */
  set(name: string, bytes: number, how: 'measured' | 'estimated'): void {
    const isMeasured = how === 'measured' ? 1 : 0;
    this.#database.run('INSERT OR REPLACE INTO sizes VALUES (?, ?, ?)', name, bytes, isMeasured);
  }

  forget(name: string): void {
    this.#database.run('DELETE FROM sizes WHERE name = ?', name);
  }

  /** What an object was measured to take. */
  measured(name: string): number | undefined {
    const row = this.#database.get('SELECT bytes FROM sizes WHERE name = ? AND measured = 1', name);
    return numberIn(row?.['bytes']);
  }

  /** The sum of all; undefined where not all are known. */
  total(): number | undefined {
    if (this.#figure(ALL) === undefined) return undefined;
    return numberIn(this.#database.get('SELECT total(bytes) AS bytes FROM sizes')?.['bytes']);
  }

  /**
   * Replaces everything by what a walk through the store found.
   * @param held what running builds hold: some of it may have come after the walk
   */
  replaceAll(sizes: ReadonlyMap<string, number>, held: ReadonlySet<string>): void {
    this.#database.together(() => {
      for (const { name } of this.#database.all('SELECT name FROM sizes')) {
        if (!sizes.has(String(name)) && !held.has(String(name))) this.forget(String(name));
      }
      for (const [name, bytes] of sizes) this.set(name, bytes, 'measured');
      this.#setFigure(ALL, '', 0);
    });
  }

  /** Says that nothing is there yet: what comes is noted when it gets its name, and the store need not be walked. */
  beginWithNothing(): void {
    this.#setFigure(ALL, '', 0);
  }

  /** What named images need, if it is known for this state of the index. */
  ofNamedImages(indexState: string): number | undefined {
    const row = this.#figure(NAMED);
    return row?.['state'] === indexState ? numberIn(row['bytes']) : undefined;
  }

  setNamedImages(indexState: string, bytes: number): void {
    this.#setFigure(NAMED, indexState, bytes);
  }

  #figure(name: string): Record<string, unknown> | undefined {
    return this.#database.get('SELECT state, bytes FROM figures WHERE name = ?', name);
  }

  #setFigure(name: string, state: string, bytes: number): void {
    this.#database.run('INSERT OR REPLACE INTO figures VALUES (?, ?, ?)', name, state, bytes);
  }
}

function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
