import { isDiffId, isDigest, type DiffId, type Digest } from '@caisson/oci';
import type { Database } from './database.ts';

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

/** What the store remembers to be faster. All of it can be worked out again, so all of it may be lost. */
export class LookUps {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The layer that gave a content on a state, if one is known. */
  layerWithContent(state: Digest, content: Digest): KnownLayer | undefined {
    const row = this.#database.get(
      'SELECT diff_id, created FROM same_content WHERE state = ? AND content = ?',
      state,
      content,
    );
    const diffId = String(row?.['diff_id']);
    return isDiffId(diffId) ? { diffId, created: String(row?.['created']) } : undefined;
  }

  rememberContent(state: Digest, content: Digest, { diffId, created }: KnownLayer): void {
    this.#database.run(
      'INSERT OR REPLACE INTO same_content VALUES (?, ?, ?, ?)',
      state,
      content,
      diffId,
      created,
    );
  }

  /** The content digest of what a selection takes from a state, if it is known. */
  selection(state: Digest, selection: Digest): Digest | undefined {
    const row = this.#database.get(
      'SELECT digest FROM selections WHERE state = ? AND selection = ?',
      state,
      selection,
    );
    const digest = String(row?.['digest']);
    return isDigest(digest) ? digest : undefined;
  }

  rememberSelection(state: Digest, selection: Digest, digest: Digest): void {
    this.#database.run('INSERT OR REPLACE INTO selections VALUES (?, ?, ?)', state, selection, digest);
  }

  /** What a layer became when it was last compressed this way. */
  compressed(diffId: DiffId, setting: string): CompressedLayer | undefined {
    const row = this.#database.get(
      'SELECT digest, size FROM compressed WHERE diff_id = ? AND setting = ?',
      diffId,
      setting,
    );
    const digest = String(row?.['digest']);
    return isDigest(digest) ? { digest, size: Number(row?.['size']) } : undefined;
  }

  rememberCompressed(diffId: DiffId, setting: string, { digest, size }: CompressedLayer): void {
    this.#database.run(
      'INSERT OR REPLACE INTO compressed VALUES (?, ?, ?, ?)',
      diffId,
      setting,
      digest,
      size,
    );
  }

  /** What a URL gave when it was last fetched, if its server knows entity tags. */
  remoteFile(url: string): KnownRemoteFile | undefined {
    const row = this.#database.get('SELECT etag, modified, digest FROM remote_files WHERE url = ?', url);
    const digest = String(row?.['digest']);
    if (!isDigest(digest)) return undefined;
    return { etag: String(row?.['etag']), modified: String(row?.['modified']), digest };
  }

  rememberRemoteFile(url: string, { etag, modified, digest }: KnownRemoteFile): void {
    this.#database.run(
      'INSERT OR REPLACE INTO remote_files VALUES (?, ?, ?, ?)',
      url,
      etag,
      modified,
      digest,
    );
  }

  /** The files of a folder of the host whose digests are known, by path. */
  files(root: string): Map<string, KnownFile> {
    const files = new Map<string, KnownFile>();
    for (const row of this.#database.all('SELECT path, stat, digest FROM files WHERE root = ?', root)) {
      const digest = String(row['digest']);
      if (isDigest(digest)) files.set(String(row['path']), { stat: String(row['stat']), digest });
    }
    return files;
  }

  /** Remembers files of a folder. Those that are gone stay until prune. */
  rememberFiles(root: string, files: ReadonlyMap<string, KnownFile>): void {
    this.#database.together(() => {
      for (const [path, { stat, digest }] of files) {
        this.#database.run('INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)', root, path, stat, digest);
      }
    });
  }

  /** Forgets the files of all folders: they are hashed again when somebody asks. */
  forgetFiles(): void {
    this.#database.run('DELETE FROM files');
  }

  /** Says that things were used now, by the names that they are held under. */
  used(names: Iterable<string>): void {
    const now = Date.now();
    this.#database.together(() => {
      for (const name of names) this.#database.run('INSERT OR REPLACE INTO used VALUES (?, ?)', name, now);
    });
  }

  /** When something was last used, in milliseconds since 1970, if that is known. */
  lastUse(name: string): number | undefined {
    const at = this.#database.get('SELECT at FROM used WHERE name = ?', name)?.['at'];
    return typeof at === 'number' ? at : undefined;
  }
}
