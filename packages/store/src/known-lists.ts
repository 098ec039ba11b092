import { isDigest, type Digest } from '@caisson/oci';
import type { Database } from './database.ts';

/** What a folder of a context counted as, and how it looked then. */
export interface KnownList {
  /** The same for a folder in which everything looks the same. */
  readonly stamp: string;
  /** Of the list of what is in it. */
  readonly digest: Digest;
  /** The folders in it that are part of the context, and what those counted as. */
  readonly folders: ReadonlyMap<string, Digest>;
}

/** How many views of a context are known: those that learned something last. */
const MOST_VIEWS = 4;

/** Remembers what the folders of contexts count as, as long as the texts that this is the digest of are remembered, too. */
export class KnownLists {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * The folders of a context, by their paths in it.
   * @param root a folder of the host
   * @param view the same for what sees the same files in it
   */
  of(root: string, view: string): Map<string, KnownList> {
    const rows = this.#database.all(
      `SELECT folder, stamp, list, folders FROM lists WHERE root = ? AND view = ?
       AND EXISTS (SELECT 1 FROM key_parts WHERE digest = list)`,
      root,
      view,
    );
    const known = new Map<string, KnownList>();
    for (const { folder, stamp, list, folders } of rows) {
      const digest = String(list);
      const inside = decodeFolders(String(folders));
      if (!isDigest(digest) || inside === undefined) continue;
      known.set(String(folder), { stamp: String(stamp), digest, folders: inside });
    }
    return known;
  }

  /** Remembers folders by their paths; undefined for those that are gone. */
  remember(root: string, view: string, lists: ReadonlyMap<string, KnownList | undefined>): void {
    if (lists.size === 0) return;
    this.#database.together(() => {
      this.#use(root, view);
      for (const [folder, list] of lists) {
        if (list === undefined)
          this.#database.run(
            'DELETE FROM lists WHERE root = ? AND view = ? AND folder = ?',
            root,
            view,
            folder,
          );
        else
          this.#database.run(
            'INSERT OR REPLACE INTO lists VALUES (?, ?, ?, ?, ?, ?)',
            root,
            view,
            folder,
            list.stamp,
            list.digest,
            JSON.stringify([...list.folders]),
          );
      }
    });
  }

  /** Notes that a view is used, and forgets those that have not been for longest: each edit of an ignore file makes one. */
  #use(root: string, view: string): void {
    this.#database.run('INSERT OR REPLACE INTO list_views VALUES (?, ?, ?)', root, view, Date.now());
    const views = this.#database.all('SELECT view FROM list_views WHERE root = ? ORDER BY at DESC', root);
    for (const { view: old } of views.slice(MOST_VIEWS)) {
      this.#database.run('DELETE FROM lists WHERE root = ? AND view = ?', root, String(old));
      this.#database.run('DELETE FROM list_views WHERE root = ? AND view = ?', root, String(old));
    }
  }

  /** Forgets the contexts that somebody says so of. @param isOver told the folder of the host */
  forget(isOver: (root: string) => boolean): void {
    for (const { root } of this.#database.all('SELECT DISTINCT root FROM list_views')) {
      if (!isOver(String(root))) continue;
      for (const table of ['lists', 'list_views'])
        this.#database.run(`DELETE FROM ${table} WHERE root = ?`, String(root));
    }
  }
}

/** What is damaged says nothing. */
function decodeFolders(text: string): Map<string, Digest> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value)) return undefined;
    const folders = new Map<string, Digest>();
    const rows: readonly unknown[] = value;
    for (const row of rows) {
      const fields: readonly unknown[] = Array.isArray(row) ? row : [];
      const [name, digest] = fields;
      if (typeof name !== 'string' || typeof digest !== 'string' || !isDigest(digest)) return undefined;
      folders.set(name, digest);
    }
    return folders;
  } catch {
    return undefined;
  }
}
