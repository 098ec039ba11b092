import { lstatSync, readFileSync } from 'node:fs';
import type { Database } from './database.ts';

/** What is known of a file or tree of the store. */
export type Trust =
  /** It is as it was when its digest was checked. */
  | 'known'
  /** It is not as it was then. */
  | 'changed'
  /** Nobody knows: it was not noted, or the machine went down before it was on the disk. */
  | 'unknown';

let bootId: string | undefined;

/** Names this run of the kernel: what was written but not synced in another one may be lost. */
export function currentBoot(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return bootId;
}

/**
 * Remembers for each blob and tree at which stat its digest was seen, and whether it is known to be on the disk. A
 * blob whose stat is another, or which another boot wrote without a barrier, is hashed again before it is used.
 */
export class Seen {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Says that what lies at a path is what its name says. */
  remember(name: string, path: string): void {
    this.#database.run(
      'INSERT OR REPLACE INTO seen (name, boot, stat, synced) VALUES (?, ?, ?, 0)',
      name,
      currentBoot(),
      statText(path) ?? '',
    );
  }

  /** Whether what lies at a path is still what was seen there. */
  trust(name: string, path: string): Trust {
    const row = this.#database.get('SELECT boot, stat, synced FROM seen WHERE name = ?', name);
    if (row === undefined) return 'unknown';
    if (row['stat'] !== statText(path)) return 'changed';
    return row['synced'] === 1 || row['boot'] === currentBoot() ? 'known' : 'unknown';
  }

  /** Forgets everything but what is known to be there. */
  forgetAllBut(isKnown: (name: string) => boolean): void {
    this.#database.together(() => {
      for (const { name } of this.#database.all('SELECT name FROM seen'))
        if (!isKnown(String(name))) this.forget(String(name));
    });
  }

  forget(name: string): void {
    this.#database.run('DELETE FROM seen WHERE name = ?', name);
  }

  /** Says that all that this boot wrote before `barrier` began is on the disk now. */
  async synced(barrier: () => Promise<void>): Promise<void> {
    const rows = this.#database.all(
      'SELECT name, stat FROM seen WHERE boot = ? AND synced = 0',
      currentBoot(),
    );
    await barrier();
    this.#database.together(() => {
      // What was written anew meanwhile may be on the disk only in part.
      for (const { name, stat } of rows)
        this.#database.run(
          'UPDATE seen SET synced = 1 WHERE name = ? AND stat = ?',
          String(name),
          String(stat),
        );
    });
  }
}

/** A stat as text: another one says that a file was changed. */
export function statText(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}
