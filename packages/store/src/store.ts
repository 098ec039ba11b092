import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { errorCode, syncFileSystem } from '@caisson/sys';
import { BlobStore } from './blob-store.ts';
import { BuildLogs } from './build-logs.ts';
import { BuildReports } from './build-reports.ts';
import { CacheMounts } from './cache-mounts.ts';
import { checkFolder, checkIsFolder } from './check-folder.ts';
import { Database } from './database.ts';
import { diskError } from './disk-error.ts';
import { checkMayBecomeStore } from './foreign-folder.ts';
import { StoreError } from './errors.ts';
import { ImageIndex } from './image-index.ts';
import { KnownRepositories } from './known-repositories.ts';
import { LayerForms } from './layer-forms.ts';
import { LayerMaps } from './layer-maps.ts';
import type { LockOptions } from './lock.ts';
import { LookUps, type Forgettable } from './look-ups.ts';
import { isBegun, makeStore, STORE_VERSION, VERSION_TEXT } from './make-store.ts';
import { PastRecords } from './past-records.ts';
import { StorePaths } from './paths.ts';
import { RememberedBases } from './remembered-bases.ts';
import { Room } from './room.ts';
import { SecretMarks } from './secret-marks.ts';
import { Seen } from './seen.ts';
import { Session } from './session.ts';
import { Sizes } from './sizes.ts';
import { StepRecords } from './step-records.ts';

/**
 * A store: one folder that holds images, layers and the cache, and is a valid OCI image layout at every moment.
 * Reading needs nothing; writing, and relying on what is there, needs a {@link Session}.
 */
export class Store implements Disposable {
  readonly root: string;
  readonly blobs: BlobStore;
  readonly images: ImageIndex;
  readonly records: StepRecords;
  readonly pastRecords: PastRecords;
  readonly secretMarks: SecretMarks;
  readonly reports: BuildReports;
  readonly logs: BuildLogs;
  readonly bases: RememberedBases;
  readonly forms: LayerForms;
  readonly maps: LayerMaps;
  readonly lookUps: LookUps;
  readonly repositories: KnownRepositories;
  readonly cacheMounts: CacheMounts;
  readonly sizes: Sizes;
  readonly room: Room;
  readonly #paths: StorePaths;
  readonly #database: Database;
  readonly #seen: Seen;
  readonly #lockOptions: LockOptions;

  /** Use {@link openStore}. */
  constructor(paths: StorePaths, lockOptions: LockOptions) {
    this.root = paths.root;
    this.#paths = paths;
    this.#lockOptions = lockOptions;
    this.#database = new Database(paths.database);
    this.#seen = new Seen(this.#database);
    this.sizes = new Sizes(this.#database);
    this.room = new Room();
    const known = { seen: this.#seen, sizes: this.sizes, room: this.room };
    this.blobs = new BlobStore(paths, known);
    this.images = new ImageIndex(paths, this.blobs, lockOptions);
    this.records = new StepRecords(paths, this.sizes);
    this.logs = new BuildLogs(paths, this.sizes);
    this.reports = new BuildReports(paths, this.logs);
    this.pastRecords = new PastRecords(this.#database);
    this.bases = new RememberedBases(paths, this.sizes);
    this.maps = new LayerMaps(paths, known);
    this.forms = new LayerForms(paths, { ...known, maps: this.maps, blobs: this.blobs }, lockOptions);
    this.secretMarks = new SecretMarks(paths, this.#database);
    this.lookUps = new LookUps(this.#database);
    this.repositories = new KnownRepositories(this.#database);
    this.cacheMounts = new CacheMounts(paths, this.sizes, lockOptions);
  }

  /** Begins to write, or to rely on what is there. */
  session(): Session {
    try {
      return Session.begin(this.#paths, {
        lockOptions: this.#lockOptions,
        onEnd: (held) => this.lookUps.used(held),
      });
    } catch (error) {
      throw diskError(error, `cannot write to the store ${this.root}`);
    }
  }

  /**
   * Waits until all that was written so far is on the disk. It must have been called before `index.json` names an
   * image, and before anybody is told that something was exported.
   */
  async barrier(): Promise<void> {
    await this.#seen.synced(async () => {
      const fd = openSync(this.root, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        await syncFileSystem(fd);
      } finally {
        closeSync(fd);
      }
    });
  }

  /** Forgets what is known of what is not there any more, or has not been used for long. */
  forget(what: Forgettable): void {
    this.#seen.forgetAllBut(what.isKnown);
    this.lookUps.forget(what);
    this.repositories.forget(what.unusedSince);
  }

  /** Gives the disk back what the database no longer needs of it. */
  shrink(): void {
    this.#database.shrink();
  }

  /** Where things lie, for prune, du and verify. */
  get paths(): StorePaths {
    return this.#paths;
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

/**
 * Opens a store, and makes it where there is none.
 * @param root its folder, absolute
 * @throws StoreError `not-a-store`, `unsupported-version`, `no-access`
 */
export async function openStore(root: string, lockOptions: LockOptions = {}): Promise<Store> {
  const paths = new StorePaths(root);
  let isEmpty = false;
  try {
    checkIsFolder(root);
    const version = await versionOrNew(paths);
    checkFolder(root);
    if (version === undefined) {
      isEmpty = !existsSync(paths.layout) && !existsSync(paths.blobs) && !existsSync(paths.database);
      await makeStore(paths);
    } else if (version !== STORE_VERSION) throw otherVersion(root, version);
    for (const folder of paths.folders)
      if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') {
      throw new StoreError('not-a-store', `${root} cannot be the folder of a store: a file is in the way`, {
        hint: 'choose another folder (CAISSON_ROOT)',
        cause: error,
      });
    }
    if (errorCode(error) === 'ENOENT') {
      throw new StoreError('no-access', `the folder ${root} cannot be made there`, {
        hint: 'choose another folder (--root, CAISSON_ROOT)',
        cause: error,
      });
    }
    throw diskError(error, `cannot open the store ${root}`);
  }
  const store = new Store(paths, lockOptions);
  if (isEmpty) store.sizes.beginWithNothing();
  return store;
}

/** @returns undefined where a store may be made. @throws StoreError `not-a-store` */
async function versionOrNew(paths: StorePaths): Promise<number | undefined> {
  const version = readVersion(paths);
  if (version !== undefined) return version;
  try {
    await checkMayBecomeStore(paths);
  } catch (error) {
    // Somebody may have made it meanwhile.
    const now = error instanceof StoreError ? readVersion(paths) : undefined;
    if (now === undefined) throw error;
    return now;
  }
  return undefined;
}

function readVersion(paths: StorePaths): number | undefined {
  let text: string;
  try {
    text = readFileSync(paths.version, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (isBegun(text, VERSION_TEXT)) return undefined;
  const version = /^\{"version":(\d+)\}\s*$/.exec(text)?.[1];
  if (version === undefined) {
    throw new StoreError(
      'not-a-store',
      `${paths.version} does not say which version the store ${paths.root} has`,
    );
  }
  return Number(version);
}

function otherVersion(root: string, version: number): StoreError {
  return new StoreError(
    'unsupported-version',
    `the store ${root} has version ${version}; this Caisson reads version ${STORE_VERSION}`,
    { hint: 'use the Caisson that wrote it, or another folder (CAISSON_ROOT)' },
  );
}
