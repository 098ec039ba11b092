import type { Digest } from '@caisson/oci';
import type { Database } from './database.ts';

/** How many repositories are told of a blob: who asks for one that is gone by now asks for another then. */
const ENOUGH = 2;

/** A repository of a registry. */
export interface KnownRepository {
  /** The registry's host, with its port. */
  readonly registry: string;
  readonly repository: string;
}

/**
 * Which repositories had a blob when one was last sent there: a registry takes it over from one of its repositories to
 * another by itself. It may be wrong by now, and may be lost.
 */
export class KnownRepositories {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Notes that a repository has a blob now. */
  note(digest: Digest, { registry, repository }: KnownRepository): void {
    const row = [digest, registry, repository, Date.now()] as const;
    this.#database.run('INSERT OR REPLACE INTO blob_repositories VALUES (?, ?, ?, ?)', ...row);
  }

  /** The other repositories of a registry that had a blob: the one that was seen to have it last comes first. */
  besides({ registry, repository }: KnownRepository, digest: Digest): string[] {
    const rows = this.#database.all(
      'SELECT repository FROM blob_repositories WHERE digest = ? AND registry = ? AND repository <> ? ORDER BY at DESC LIMIT ?',
      digest,
      registry,
      repository,
      ENOUGH,
    );
    return rows.map((row) => String(row['repository']));
  }

  /** @param unusedSince in milliseconds since 1970 */
  forget(unusedSince: number): void {
    this.#database.run('DELETE FROM blob_repositories WHERE at <= ?', unusedSince);
  }
}
