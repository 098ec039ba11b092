import { isDigest, type Digest } from '@caisson/oci';
import type { Database } from './database.ts';
import { recordName, type StepRecord } from './step-records.ts';

/** Where in a Dockerfile a step stands. */
export interface RecordsPlace {
  /** The kind of its operation. */
  readonly op: string;
  readonly stage: string;
  readonly dockerfile: string;
  /** What the build is of; undefined where that has no name. */
  readonly context: string | undefined;
  /** The instruction in one line. */
  readonly text: string;
  /** The other steps of the stage: what they were says nothing of this one. */
  readonly siblings: ReadonlySet<string>;
  /** When the build began, in milliseconds since 1970: what it records itself is not earlier. */
  readonly since: number;
}

/** A record that there was. */
export interface PastRecord {
  readonly key: Digest;
  /** What the build was of, as far as that is known: most often a folder of this machine. */
  readonly context: string | undefined;
  /** When it was made, or a build that has ended used it, in milliseconds since 1970. */
  readonly lastUse: number;
}

/** How many are remembered. */
const MOST = 20_000;

/**
 * Which step records there were, by where in a Dockerfile they come from, and what the digests in them were made from:
 * to say why a step runs again. It outlives the records: one that prune took is known to have been there. All of it may
 * be lost; then less can be said.
 */
export class PastRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Remembers a record, and the texts that digests in it are made from.
   * @param context what the build was of
   */
  add(
    { key, keyRecord, stage, dockerfile, text }: StepRecord,
    parts: ReadonlyMap<Digest, string>,
    context?: string,
  ): void {
    const { op } = keyRecord;
    this.addParts(parts);
    this.#database.run(
      'INSERT OR REPLACE INTO past_records VALUES (?, ?, ?, ?, ?, ?, ?)',
      key,
      typeof op === 'string' ? op : '',
      stage,
      dockerfile,
      context ?? '',
      text,
      Date.now(),
    );
  }

  /** Whether there was a record of a key. */
  has(key: Digest): boolean {
    return this.#database.get('SELECT key FROM past_records WHERE key = ?', key) !== undefined;
  }

  /** Remembers that a shared cache had a record. */
  noteImported(key: Digest): void {
    this.#database.run('INSERT OR REPLACE INTO imported_keys VALUES (?, ?)', key, Date.now());
  }

  /** Whether a shared cache had a record of a key when it was last asked for one. */
  wasImported(key: Digest): boolean {
    return this.#database.get('SELECT key FROM imported_keys WHERE key = ?', key) !== undefined;
  }

  /** Forgets that there were records. */
  forget(keys: Iterable<Digest>): void {
    this.#database.together(() => {
      for (const key of keys) this.#database.run('DELETE FROM past_records WHERE key = ?', key);
    });
  }

  /** The last records of a place: first those of the same context, then of the same instruction, then the newest. */
  near({ op, stage, dockerfile, context, text, siblings, since }: RecordsPlace, limit: number): PastRecord[] {
    const rows = this.#database.all(
      `SELECT key, context, text, at FROM past_records WHERE op = ? AND stage = ? AND dockerfile = ? AND at < ?
       ORDER BY context = ? DESC, text = ? DESC, at DESC LIMIT ?`,
      op,
      stage,
      dockerfile,
      since,
      context ?? '',
      text,
      limit * 20,
    );
    return rows
      .filter((row) => row['text'] === text || !siblings.has(String(row['text'])))
      .slice(0, limit)
      .flatMap(({ key, context: of, at }) => {
        const digest = String(key);
        return isDigest(digest)
          ? [
              {
                key: digest,
                context: of === '' ? undefined : String(of),
                lastUse: this.#lastUse(digest, Number(at)),
              },
            ]
          : [];
      });
  }

  #lastUse(key: Digest, made: number): number {
    const used = this.#database.get('SELECT at FROM used WHERE name = ?', recordName(key))?.['at'];
    return Math.max(made, Number(used ?? 0));
  }

  /** Keeps texts by their digests. */
  addParts(parts: ReadonlyMap<Digest, string>): void {
    if (parts.size === 0) return;
    this.#database.together(() => {
      for (const [digest, text] of parts) {
        this.#database.run('INSERT OR IGNORE INTO key_parts VALUES (?, ?)', digest, text);
      }
    });
  }

  /** The text that a digest was made from. */
  part(digest: Digest): string | undefined {
    const text = this.#database.get('SELECT text FROM key_parts WHERE digest = ?', digest)?.['text'];
    return typeof text === 'string' ? text : undefined;
  }

  /**
   * Forgets the oldest beyond a bound, what was kept of their secrets, and every text that nothing names any more.
   * @param named digests that records which are still there have in them
   */
  shorten(named: Iterable<Digest>): void {
    this.#database.run(
      'DELETE FROM past_records WHERE key NOT IN (SELECT key FROM past_records ORDER BY at DESC LIMIT ?)',
      MOST,
    );
    this.#database.run(
      'DELETE FROM imported_keys WHERE key NOT IN (SELECT key FROM imported_keys ORDER BY at DESC LIMIT ?)',
      MOST,
    );
    this.#database.run('DELETE FROM secret_marks WHERE step NOT IN (SELECT key FROM past_records)');
    const all = new Set(
      this.#database.all('SELECT digest FROM key_parts').map(({ digest }) => String(digest)),
    );
    const kept = this.#reachable(named, all);
    this.#database.together(() => {
      for (const digest of all)
        if (!kept.has(digest)) this.#database.run('DELETE FROM key_parts WHERE digest = ?', digest);
    });
  }

  /**
   * The digests of texts that can be come to from some, through texts.
   * @param texts all that there are: most digests are those of files, and nothing is asked for them
   */
  #reachable(from: Iterable<Digest>, texts: ReadonlySet<string>): Set<string> {
    const reached = new Set<string>();
    const open: string[] = [...from];
    for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
      if (reached.has(digest) || !texts.has(digest) || !isDigest(digest)) continue;
      reached.add(digest);
      open.push(...digestsIn(this.part(digest) ?? ''));
    }
    return reached;
  }
}

/** Every digest that stands in a text. */
export function digestsIn(text: string): Digest[] {
  const found: readonly string[] = text.match(/sha256:[0-9a-f]{64}/g) ?? [];
  return found.filter(isDigest);
}
