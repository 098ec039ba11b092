import { lstatSync, rmSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';

const SCHEMA_VERSION = 13;
/** Tables of large rows have a rowid: a key is looked up without reading them. */
const SCHEMA = `
  CREATE TABLE seen (name TEXT PRIMARY KEY, boot TEXT NOT NULL, stat TEXT NOT NULL, synced INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE used (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE sizes (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL, measured INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE figures (name TEXT PRIMARY KEY, state TEXT NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE same_content (state TEXT, content TEXT, diff_id TEXT NOT NULL, created TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (state, content)) WITHOUT ROWID;
  CREATE TABLE selections (state TEXT, selection TEXT, digest TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (state, selection)) WITHOUT ROWID;
  CREATE TABLE compressed (diff_id TEXT, setting TEXT, digest TEXT NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (diff_id, setting)) WITHOUT ROWID;
  CREATE TABLE remote_files (url TEXT PRIMARY KEY, etag TEXT NOT NULL, modified TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE key_parts (digest TEXT PRIMARY KEY, text TEXT NOT NULL);
  CREATE TABLE past_records (key TEXT PRIMARY KEY, op TEXT NOT NULL, stage TEXT NOT NULL, dockerfile TEXT NOT NULL, context TEXT NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX past_records_by_place ON past_records (op, stage, dockerfile, at);
  CREATE TABLE imported_keys (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE files (root TEXT, folder TEXT, known TEXT NOT NULL, PRIMARY KEY (root, folder));
  CREATE TABLE lists (root TEXT, view TEXT, folder TEXT, stamp TEXT NOT NULL, list TEXT NOT NULL, folders TEXT NOT NULL, PRIMARY KEY (root, view, folder)) WITHOUT ROWID;
  CREATE TABLE list_views (root TEXT, view TEXT, at INTEGER NOT NULL, PRIMARY KEY (root, view)) WITHOUT ROWID;
  CREATE TABLE answers (question TEXT PRIMARY KEY, boot TEXT NOT NULL, answer TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE blob_repositories (digest TEXT, registry TEXT, repository TEXT, at INTEGER NOT NULL, PRIMARY KEY (digest, registry, repository)) WITHOUT ROWID;
  CREATE TABLE secret_marks (step TEXT, id TEXT, mark TEXT NOT NULL, PRIMARY KEY (step, id)) WITHOUT ROWID;
`;
const BUSY_TIMEOUT_MS = 2000;

/**
 * What is derived from the rest of the store and only makes it faster: stat cache, times of use, look-up tables. It
 * is opened at the first use; one that is damaged or of another version is made anew; one that cannot be opened or
 * written is done without. So nothing that must not be lost belongs here.
 */
export class Database {
  readonly #path: string;
  #open: DatabaseSync | 'unusable' | undefined;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    this.#path = path;
  }

  /** The rows of a query; none where the database cannot be used. */
  all(sql: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.#attempt((statement) => statement.all(...values), sql) ?? [];
  }

  /** The first row of a query. */
  get(sql: string, ...values: SQLInputValue[]): Record<string, unknown> | undefined {
    return this.#attempt((statement) => statement.get(...values), sql);
  }

  /** Runs a statement that changes something. It may be lost. */
  run(sql: string, ...values: SQLInputValue[]): void {
    this.#attempt((statement) => statement.run(...values), sql);
  }

  /** Runs several statements as one, which costs one write. */
  together(work: () => void): void {
    const database = this.#database();
    if (database === undefined) return;
    try {
      database.exec('BEGIN IMMEDIATE');
    } catch (error) {
      // Somebody else has been writing for too long: what we know is lost, nothing else.
      if (isBusy(error)) this.#giveUp();
      return;
    }
    try {
      work();
      if (this.#open === database) database.exec('COMMIT'); // else it was given up meanwhile, which closed it
    } catch (error) {
      // On a full disk SQLite has given the transaction up by itself.
      if (this.#open === database && database.isTransaction) database.exec('ROLLBACK');
      if (sqliteCode(error) === 0) throw error;
    }
  }

  /** Gives the disk back what was deleted, where the database was made for that. */
  shrink(): void {
    try {
      this.#database()?.exec('PRAGMA incremental_vacuum');
    } catch {
      // Somebody else is writing: the next time.
    }
  }

  close(): void {
    if (this.#open !== undefined && this.#open !== 'unusable') this.#open.close();
    this.#open = undefined;
    this.#statements.clear();
  }

  #attempt<T>(work: (statement: StatementSync) => T, sql: string): T | undefined {
    const database = this.#database();
    if (database === undefined) return undefined;
    try {
      const statement = this.#statements.get(sql) ?? database.prepare(sql);
      this.#statements.set(sql, statement);
      return work(statement);
    } catch (error) {
      // To wait again at each statement for somebody who holds the database would hold the build up.
      if (isBusy(error)) this.#giveUp();
      return undefined;
    }
  }

  #giveUp(): void {
    this.close();
    this.#open = 'unusable';
  }

  #database(): DatabaseSync | undefined {
    this.#open ??= openOrMake(this.#path) ?? 'unusable';
    return this.#open === 'unusable' ? undefined : this.#open;
  }
}

/** The database; made anew where it is damaged; undefined where it cannot be had. */
function openOrMake(path: string): DatabaseSync | undefined {
  try {
    return openDatabase(path);
  } catch (error) {
    // One that is in use, or on a disk that is full, is not to be taken away.
    if (!isDamaged(error) && lstatSync(path, { throwIfNoEntry: false })?.isFile() !== false) return undefined;
  }
  try {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { recursive: true, force: true });
    return openDatabase(path);
  } catch {
    return undefined;
  }
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    // auto_vacuum counts only where nothing was written yet; before all, so that nothing of this waits for the disk: synchronous.
    database.exec('PRAGMA synchronous = OFF; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL');
    const version = versionOf(database);
    if (version === SCHEMA_VERSION) return database;
    if (version !== 0) throw new OtherVersion();
    database.exec('BEGIN IMMEDIATE');
    if (versionOf(database) === 0) database.exec(`${SCHEMA}; PRAGMA user_version = ${SCHEMA_VERSION}`);
    database.exec('COMMIT');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function versionOf(database: DatabaseSync): unknown {
  return database.prepare('PRAGMA user_version').get()?.['user_version'];
}

class OtherVersion extends Error {}

// https://sqlite.org/rescode.html
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

function isBusy(error: unknown): boolean {
  return [SQLITE_BUSY, SQLITE_LOCKED].includes(sqliteCode(error));
}

function isDamaged(error: unknown): boolean {
  return error instanceof OtherVersion || [SQLITE_CORRUPT, SQLITE_NOTADB].includes(sqliteCode(error));
}

/** The kind of an error of SQLite, which is the lower byte of its code; 0 for another error. */
function sqliteCode(error: unknown): number {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return 0;
  return error.errcode & 0xff;
}
