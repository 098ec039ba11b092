import { existsSync } from 'node:fs';
import { isDiffId, isDigest, type DiffId, type Digest } from '@caisson/oci';
import type { Database } from './database.ts';
import { KnownLists, type KnownList } from './known-lists.ts';
import { currentBoot } from './seen.ts';

/** The stat of a file when its digest was taken, and the digest. */
export interface KnownFile {
  readonly stat: string;
  readonly digest: Digest;
}

/** A layer that a step made, and when. */
export interface KnownLayer {
  readonly diffId: DiffId;
  /** RFC 3339. */
  readonly created: string;
}

/** A file of a URL. */
export interface KnownRemoteFile {
  readonly etag: string;
  /** The header `Last-Modified`; empty where there was none. */
  readonly modified: string;
  readonly digest: Digest;
}

/** A layer in a compression. */
export interface CompressedLayer {
  readonly digest: Digest;
  readonly size: number;
}

/** What may be forgotten. */
export interface Forgettable {
  /** In milliseconds since 1970. */
  readonly unusedSince: number;
  /** Whether something of this name is there. */
  readonly isKnown: (name: string) => boolean;
}

/** Before the name of a folder: that its files were asked for. */
const FILES = 'files ';

function filesName(root: string): string {
  return `${FILES}${root}`;
}

/** How old a noted use may get before it is noted again, in milliseconds: a build that changes nothing writes little. */
const USE_TICK = 3_600_000;

/** What the store remembers to be faster. All of it can be worked out again, so all of it may be lost. */
export class LookUps {
  readonly #database: Database;
  readonly #lists: KnownLists;
  /** When the use of the files of a context was last looked at. */
  readonly #usedRoots = new Map<string, number>();

  constructor(database: Database) {
    this.#database = database;
    this.#lists = new KnownLists(database);
  }

  /** The layer that gave a content on a state, if one is known. */
  layerWithContent(state: Digest, content: Digest): KnownLayer | undefined {
    const row = this.#database.get(
      'SELECT diff_id, created, at FROM same_content WHERE state = ? AND content = ?',
      state,
      content,
    );
    this.#touch(row, 'UPDATE same_content SET at = ? WHERE state = ? AND content = ?', state, content);
    const diffId = String(row?.['diff_id']);
    return isDiffId(diffId) ? { diffId, created: String(row?.['created']) } : undefined;
  }

  rememberContent(state: Digest, content: Digest, { diffId, created }: KnownLayer): void {
    this.#database.run(
      'INSERT OR REPLACE INTO same_content VALUES (?, ?, ?, ?, ?)',
      state,
      content,
      diffId,
      created,
      Date.now(),
    );
  }

  /** Whether any layer is known that was made on a state. */
  hasContents(state: Digest): boolean {
    return this.#database.get('SELECT 1 FROM same_content WHERE state = ?', state) !== undefined;
  }

  /** Whether it is known of any selection what that takes from a state. */
  hasSelections(state: Digest): boolean {
    return this.#database.get('SELECT 1 FROM selections WHERE state = ?', state) !== undefined;
  }

  /** The content digest of what a selection takes from a state, if it is known. */
  selection(state: Digest, selection: Digest): Digest | undefined {
    const row = this.#database.get(
      'SELECT digest, at FROM selections WHERE state = ? AND selection = ?',
      state,
      selection,
    );
    this.#touch(row, 'UPDATE selections SET at = ? WHERE state = ? AND selection = ?', state, selection);
    const digest = String(row?.['digest']);
    return isDigest(digest) ? digest : undefined;
  }

  rememberSelection(state: Digest, selection: Digest, digest: Digest): void {
    this.#database.run(
      'INSERT OR REPLACE INTO selections VALUES (?, ?, ?, ?)',
      state,
      selection,
      digest,
      Date.now(),
    );
  }

  /** What a layer became when it was last compressed this way. */
  compressed(diffId: DiffId, setting: string): CompressedLayer | undefined {
    const row = this.#database.get(
      'SELECT digest, size, at FROM compressed WHERE diff_id = ? AND setting = ?',
      diffId,
      setting,
    );
    this.#touch(row, 'UPDATE compressed SET at = ? WHERE diff_id = ? AND setting = ?', diffId, setting);
    const digest = String(row?.['digest']);
    return isDigest(digest) ? { digest, size: Number(row?.['size']) } : undefined;
  }

  rememberCompressed(diffId: DiffId, setting: string, { digest, size }: CompressedLayer): void {
    this.#database.run(
      'INSERT OR REPLACE INTO compressed VALUES (?, ?, ?, ?, ?)',
      diffId,
      setting,
      digest,
      size,
      Date.now(),
    );
  }

  /** What this machine answered to a question since it was started, if it was asked. */
  answer(question: string): string | undefined {
    const row = this.#database.get(
      'SELECT answer FROM answers WHERE question = ? AND boot = ?',
      question,
      currentBoot(),
    );
    return row === undefined ? undefined : String(row['answer']);
  }

  rememberAnswer(question: string, answer: string): void {
    this.#database.run('INSERT OR REPLACE INTO answers VALUES (?, ?, ?)', question, currentBoot(), answer);
  }

  /** What a URL gave when it was last fetched, if its server knows entity tags. */
  remoteFile(url: string): KnownRemoteFile | undefined {
    const row = this.#database.get('SELECT etag, modified, digest, at FROM remote_files WHERE url = ?', url);
    this.#touch(row, 'UPDATE remote_files SET at = ? WHERE url = ?', url);
    const digest = String(row?.['digest']);
    if (!isDigest(digest)) return undefined;
    return { etag: String(row?.['etag']), modified: String(row?.['modified']), digest };
  }

  rememberRemoteFile(url: string, { etag, modified, digest }: KnownRemoteFile): void {
    this.#database.run(
      'INSERT OR REPLACE INTO remote_files VALUES (?, ?, ?, ?, ?)',
      url,
      etag,
      modified,
      digest,
      Date.now(),
    );
  }

  /**
   * The files of a folder whose digests are known, by name.
   * @param root the context that it was seen in, a folder of the host
   */
  files(root: string, folder: string): ReadonlyMap<string, KnownFile> {
    this.#useFilesOf(root);
    const row = this.#database.get('SELECT known FROM files WHERE root = ? AND folder = ?', root, folder);
    return row === undefined ? new Map() : decodeFiles(String(row['known']));
  }

  /** Remembers all that is known of folders, by their paths: of one that is gone, nothing. */
  rememberFiles(root: string, folders: ReadonlyMap<string, ReadonlyMap<string, KnownFile>>): void {
    this.#database.together(() => {
      for (const [folder, files] of folders) {
        if (files.size === 0)
          this.#database.run('DELETE FROM files WHERE root = ? AND folder = ?', root, folder);
        else
          this.#database.run(
            'INSERT OR REPLACE INTO files VALUES (?, ?, ?)',
            root,
            folder,
            encodeFiles(files),
          );
      }
    });
  }

  /**
   * What the folders of a context counted as, by their paths in it.
   * @param root a folder of the host
   * @param view the same for what sees the same files in it
   */
  lists(root: string, view: string): ReadonlyMap<string, KnownList> {
    this.#useFilesOf(root);
    return this.#lists.of(root, view);
  }

  /** Remembers what folders count as, by their paths; undefined for those that are gone. */
  rememberLists(root: string, view: string, lists: ReadonlyMap<string, KnownList | undefined>): void {
    this.#lists.remember(root, view, lists);
  }

  /** Where a file came from that was fetched. */
  urlOf(digest: Digest): string | undefined {
    const url = this.#database.get('SELECT url FROM remote_files WHERE digest = ?', digest)?.['url'];
    return typeof url === 'string' ? url : undefined;
  }

  /**
   * Forgets what has not been used since a time, in milliseconds since 1970, and the last uses of what is gone. What is
   * asked for again is worked out again.
   */
  forget({ unusedSince, isKnown }: Forgettable): void {
    this.#database.together(() => {
      for (const table of ['same_content', 'selections', 'compressed', 'remote_files'])
        this.#database.run(`DELETE FROM ${table} WHERE at <= ?`, unusedSince);
      this.#forgetLayers(isKnown);
      const isOver = (root: string): boolean =>
        !existsSync(root) || (this.lastUse(filesName(root)) ?? 0) <= unusedSince;
      this.#lists.forget(isOver);
      for (const { root } of this.#database.all('SELECT DISTINCT root FROM files'))
        if (isOver(String(root))) this.#database.run('DELETE FROM files WHERE root = ?', String(root));
      for (const { name, at } of this.#database.all('SELECT name, at FROM used')) {
        const isGone = String(name).startsWith(FILES) ? Number(at) <= unusedSince : !isKnown(String(name));
        if (isGone) this.#database.run('DELETE FROM used WHERE name = ?', String(name));
      }
    });
  }

  /** Forgets what is known of layers that are gone. */
  #forgetLayers(isKnown: (name: string) => boolean): void {
    const isGone = ({ diff_id: diffId }: Record<string, unknown>): boolean => !isKnown(String(diffId));
    for (const row of this.#database.all('SELECT state, content, diff_id FROM same_content').filter(isGone))
      this.#database.run(
        'DELETE FROM same_content WHERE state = ? AND content = ?',
        String(row['state']),
        String(row['content']),
      );
    for (const row of this.#database.all('SELECT DISTINCT diff_id FROM compressed').filter(isGone))
      this.#database.run('DELETE FROM compressed WHERE diff_id = ?', String(row['diff_id']));
  }

  /** Forgets what selections of states count as. */
  forgetSelections(states: Iterable<Digest>): void {
    this.#database.together(() => {
      for (const state of states) this.#database.run('DELETE FROM selections WHERE state = ?', state);
    });
  }

  /** Says that things were used now, by the names that they are held under. */
  used(names: Iterable<string>): void {
    const now = Date.now();
    this.#database.together(() => {
      for (const name of names) this.#database.run('INSERT OR REPLACE INTO used VALUES (?, ?)', name, now);
    });
  }

  /** Notes that the files of a context were asked for, unless that was noted lately: there may be thousands of folders. */
  #useFilesOf(root: string): void {
    const now = Date.now();
    if ((this.#usedRoots.get(root) ?? 0) >= now - USE_TICK) return;
    this.#usedRoots.set(root, now);
    const name = filesName(root);
    if ((this.lastUse(name) ?? 0) < now - USE_TICK) this.used([name]);
  }

  /** Notes that a row was used now, unless that was noted lately. */
  #touch(row: Record<string, unknown> | undefined, update: string, ...key: readonly string[]): void {
    const now = Date.now();
    if (row !== undefined && Number(row['at']) < now - USE_TICK) this.#database.run(update, now, ...key);
  }

  /** When something was last used, in milliseconds since 1970, if that is known. */
  lastUse(name: string): number | undefined {
    const at = this.#database.get('SELECT at FROM used WHERE name = ?', name)?.['at'];
    return typeof at === 'number' ? at : undefined;
  }
}

/** One text a folder: a row a file would take longer to read than the files' stats. */
function encodeFiles(files: ReadonlyMap<string, KnownFile>): string {
  return JSON.stringify([...files].map(([name, { stat, digest }]) => [name, stat, digest]));
}

function decodeFiles(text: string): Map<string, KnownFile> {
  const files = new Map<string, KnownFile>();
  for (const row of parsedRows(text)) {
    const fields: readonly unknown[] = Array.isArray(row) ? row : [];
    const [name, stat, digest] = fields;
    if (typeof name !== 'string' || typeof stat !== 'string' || typeof digest !== 'string') continue;
    if (isDigest(digest)) files.set(name, { stat, digest });
  }
  return files;
}

/** What is damaged says nothing. */
function parsedRows(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
