import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { linkSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { canonicalJson, type Digest } from '@caisson/oci';
import { errorCode } from '@caisson/sys';
import type { Database } from './database.ts';
import type { StorePaths } from './paths.ts';
import type { Session } from './session.ts';

const KEY_BYTES = 32;

/**
 * Tells whether a secret has the value that it had when a step ran, without keeping the value: what is kept is an
 * HMAC-SHA256 of it under a random key that never leaves the store. The mark is of the step and the secret's id as well,
 * so that nobody can see which steps had the same value. Marks may be lost; then nothing can be told.
 */
export class SecretMarks {
  readonly #paths: StorePaths;
  readonly #database: Database;
  #key: Buffer | undefined;

  constructor(paths: StorePaths, database: Database) {
    this.#paths = paths;
    this.#database = database;
  }

  /** Remembers the value that a secret has in a step that ran. @param step the key of its record */
  remember(session: Session, step: Digest, id: string, value: Uint8Array): void {
    this.#key ??= readKey(this.#paths) ?? makeKey(this.#paths, session);
    const mark = markOf(this.#key, step, id, value).toString('hex');
    this.#database.run('INSERT OR REPLACE INTO secret_marks VALUES (?, ?, ?)', step, id, mark);
  }

  /** Whether a secret has another value than when the step ran; undefined where that is not known. */
  hasChanged(step: Digest, id: string, value: Uint8Array): boolean | undefined {
    const row = this.#database.get('SELECT mark FROM secret_marks WHERE step = ? AND id = ?', step, id);
    if (row === undefined) return undefined;
    this.#key ??= readKey(this.#paths);
    if (this.#key === undefined) return undefined;
    const [known, now] = [Buffer.from(String(row['mark']), 'hex'), markOf(this.#key, step, id, value)];
    return known.length === now.length ? !timingSafeEqual(known, now) : undefined;
  }
}

function markOf(key: Buffer, step: Digest, id: string, value: Uint8Array): Buffer {
  return createHmac('sha256', key)
    .update(canonicalJson([step, id]))
    .update(value)
    .digest();
}

/** The key; undefined where there is none that is whole. */
function readKey(paths: StorePaths): Buffer | undefined {
  try {
    const key = readFileSync(paths.secretKey);
    return key.length === KEY_BYTES ? key : undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes the key. Two processes may do it at once: the first one counts. */
function makeKey(paths: StorePaths, session: Session): Buffer {
  const made = session.newPath('secret-key');
  writeFileSync(made, randomBytes(KEY_BYTES), { flag: 'wx', mode: 0o600 });
  try {
    linkSync(made, paths.secretKey);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    // One that is not whole, as after a power cut, is of no use to anybody.
    if (readKey(paths) === undefined) renameSync(made, paths.secretKey);
  }
  const key = readKey(paths);
  if (key === undefined) throw new Error('Internal error: the key of the secrets was not kept');
  return key;
}
