import { chmodSync, closeSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimes, type Time } from '@caisson/sys';
import { buildError } from '../failure.ts';

/** A context that lies in no folder: its files come one after another. */
export interface GivenContext {
  readonly pieces: AsyncIterable<ContextPiece>;
}

/** What every entry of a given context has. */
interface Entry {
  /** Seen from the context: `src/app.ts`. */
  readonly path: string;
  /** In milliseconds since 1970; that of its arrival where it is not given. */
  readonly mtime: number | undefined;
}

/** A part of a given context. Folders that something lies in need not be given: they have the mode 0755. */
export type ContextPiece =
  /** A file, or its beginning. */
  | (Entry & { readonly kind: 'file'; readonly mode: number; readonly bytes: Uint8Array })
  /** More of the file before. */
  | { readonly kind: 'more'; readonly bytes: Uint8Array }
  | (Entry & { readonly kind: 'folder'; readonly mode: number })
  | (Entry & { readonly kind: 'symlink'; readonly target: string });

/**
 * Writes the files of a given context into a folder.
 * @param folder nothing is there yet
 * @throws BuildError `invalid-request` for a path that leaves the context, or lies in what is no folder
 */
export async function writeGivenContext(
  pieces: AsyncIterable<ContextPiece>,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  mkdirSync(folder, { mode: 0o755 });
  using writer = new ContextWriter(folder);
  for await (const piece of pieces) {
    signal.throwIfAborted();
    writer.take(piece);
  }
  writer.finish();
}

const EXPECTED = 'a path below the context, for example src/app.ts';

class ContextWriter implements Disposable {
  readonly #root: string;
  readonly #kinds = new Map<string, 'file' | 'folder' | 'implied' | 'symlink'>();
  /** Of folders: set when all that lies in them is written. */
  readonly #times = new Map<string, Time>();
  #open: { readonly fd: number; readonly path: string; readonly time: Time | undefined } | undefined;

  constructor(root: string) {
    this.#root = root;
    chmodSync(root, 0o755); // whatever the umask
  }

  take(piece: ContextPiece): void {
    if (piece.kind === 'more') {
      if (this.#open === undefined) throw new Error('Internal error: more of no file');
      writeAll(this.#open.fd, piece.bytes);
      return;
    }
    this.#close();
    const path = cleanPath(piece.path);
    if (path === '') {
      if (piece.kind === 'folder') return;
      throw refused(piece.path, 'names the context itself');
    }
    this.#makeParents(path, piece.path);
    const known = this.#kinds.get(path);
    if (known !== undefined && !(known === 'implied' && piece.kind === 'folder'))
      throw refused(piece.path, known === 'implied' ? 'is a folder already' : 'is given twice');
    this.#kinds.set(path, piece.kind);
    this.#write(piece, join(this.#root, path), known !== undefined);
  }

  #write(piece: Exclude<ContextPiece, { kind: 'more' }>, at: string, isThere: boolean): void {
    const time = piece.mtime === undefined ? undefined : timeOf(piece.mtime);
    switch (piece.kind) {
      case 'file': {
        const fd = openSync(at, 'wx', 0o600);
        this.#open = { fd, path: at, time };
        writeAll(fd, piece.bytes);
        chmodSync(at, piece.mode);
        return;
      }
      case 'folder':
        if (!isThere) mkdirSync(at);
        chmodSync(at, piece.mode);
        if (time !== undefined) this.#times.set(at, time);
        return;
      case 'symlink':
        symlinkSync(piece.target, at);
        if (time !== undefined) setTimes(at, time);
    }
  }

  #makeParents(path: string, given: string): void {
    const parent = dirname(path);
    if (parent === '.') return;
    const kind = this.#kinds.get(parent);
    if (kind === 'folder' || kind === 'implied') return;
    if (kind !== undefined) throw refused(given, `lies in ${parent}, which is no folder`);
    this.#makeParents(parent, given);
    const at = join(this.#root, parent);
    mkdirSync(at);
    chmodSync(at, 0o755);
    this.#kinds.set(parent, 'implied');
  }

  finish(): void {
    this.#close();
    for (const [path, time] of this.#times) setTimes(path, time);
  }

  #close(): void {
    if (this.#open === undefined) return;
    const { fd, path, time } = this.#open;
    this.#open = undefined;
    closeSync(fd);
    if (time !== undefined) setTimes(path, time);
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}

/** A path without `.` and double slashes. @throws BuildError `invalid-request` for one that is not below the context */
function cleanPath(path: string): string {
  if (path.includes('\0')) throw refused(path, 'holds a NUL');
  if (path.startsWith('/')) throw refused(path, 'is absolute');
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) throw refused(path, 'leaves the context');
  if (names.some((name) => Buffer.byteLength(name) > LONGEST_NAME))
    throw refused(path, 'has a name that is too long');
  return names.join('/');
}

/** What Linux takes, in bytes. */
const LONGEST_NAME = 255;

function refused(path: string, why: string): Error {
  return buildError('invalid-request', `the build context: the path ${JSON.stringify(path)} ${why}`, {
    expected: EXPECTED,
  });
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

function timeOf(milliseconds: number): Time {
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanoseconds: Math.round((milliseconds - seconds * 1000) * 1_000_000) };
}
