import { lstatSync } from 'node:fs';
import { open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { Digester, digestOf, type Descriptor, type Digest } from '@caisson/oci';
import { ArrivingBlob } from './arriving-blob.ts';
import { diskError } from './disk-error.ts';
import { fileUsage } from './disk-usage.ts';
import { StoreError } from './errors.ts';
import type { StorePaths } from './paths.ts';
import type { Room } from './room.ts';
import type { Seen } from './seen.ts';
import type { Session } from './session.ts';
import type { Sizes } from './sizes.ts';

/** Bytes that were put into the store. */
export interface StoredBlob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

const READ_CHUNK = 1 << 20;
const MAX_DOCUMENT = 4 << 20;
/** What is missing no more than this is waited for, in bytes: then the digest says whether the bytes are the right ones. */
const NEARLY_THERE = 1 << 20;

/**
 * The content of the store, by digest. A blob is there complete or not at all: it is written to the session's folder,
 * its digest and size are checked on the way, and it gets its name last. To put a blob that is there is no error.
 */
export class BlobStore {
  readonly #paths: StorePaths;
  readonly #seen: Seen;
  readonly #sizes: Sizes;
  readonly #room: Room;
  readonly #arriving = new Map<Digest, ArrivingBlob>();

  constructor(paths: StorePaths, known: { readonly seen: Seen; readonly sizes: Sizes; readonly room: Room }) {
    this.#paths = paths;
    this.#seen = known.seen;
    this.#sizes = known.sizes;
    this.#room = known.room;
  }

  /** Where a blob lies, if it does. To be read by those who hold it. */
  path(digest: Digest): string {
    return this.#paths.blob(digest);
  }

  /** The size of a blob in bytes; undefined where it is not there. */
  size(digest: Digest): number | undefined {
    const stat = lstatSync(this.#paths.blob(digest), { throwIfNoEntry: false });
    return stat?.isFile() === true ? stat.size : undefined;
  }

  /**
   * Whether a blob is there and is what its name says. One that may have changed since it was last looked at is
   * hashed; one that turns out to be something else is removed, so that it can be made or fetched again.
   */
  async has(session: Session, digest: Digest): Promise<boolean> {
    await session.hold(digest);
    if (this.size(digest) === undefined) return false;
    if (this.#seen.trust(digest, this.path(digest)) === 'known') return true;
    const before = this.#inode(digest);
    try {
      for await (const _chunk of this.read(digest)) void _chunk;
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'corrupt-blob') throw error;
      // Somebody else may have put the right one in its place meanwhile.
      if (this.#inode(digest) !== before) return this.has(session, digest);
      await this.remove(digest);
      return false;
    }
    this.#seen.remember(digest, this.path(digest));
    return true;
  }

  #inode(digest: Digest): number | undefined {
    return lstatSync(this.#paths.blob(digest), { throwIfNoEntry: false })?.ino;
  }

  /**
   * The bytes of a blob. Its digest is checked on the way: a consumer that gets to the end has the right ones.
   * @param memory gives what to read into, which each block but the last one fills
   * @throws StoreError `missing-blob`, `corrupt-blob`
   */
  async *read(
    digest: Digest,
    memory: () => Buffer = () => Buffer.allocUnsafeSlow(READ_CHUNK),
  ): AsyncGenerator<Buffer> {
    const digester = new Digester();
    try {
      await using file = await open(this.path(digest));
      for (;;) {
        const block = await fill(file, memory());
        if (block.length > 0) {
          digester.update(block);
          yield block;
        } else if (digester.digest() === digest) return;
        else throw corrupt(digest);
      }
    } catch (error) {
      throw diskError(error, `cannot read the blob ${digest}`, missing(digest));
    }
  }

  /**
   * Has a blob brought, to be read while it comes.
   * @param provide puts it into the store, unless it is there
   */
  bring(digest: Digest, provide: () => Promise<void>): ArrivingBlob {
    const arriving = new ArrivingBlob(digest, (stored) => this.read(stored));
    this.#arriving.set(digest, arriving);
    const provided = provide().finally(() => {
      if (this.#arriving.get(digest) === arriving) this.#arriving.delete(digest);
    });
    void arriving.follow(provided);
    return arriving;
  }

  /** A small blob, whole, checked. @throws StoreError `missing-blob`, `corrupt-blob` */
  async document(digest: Digest): Promise<Uint8Array> {
    const size = this.size(digest);
    if (size === undefined) throw missing(digest);
    if (size > MAX_DOCUMENT)
      throw new StoreError('damaged', `the blob ${digest} is too large for a document: ${size} bytes`);
    const bytes = await readFile(this.path(digest));
    if (digestOf(bytes) !== digest) throw corrupt(digest);
    return bytes;
  }

  /**
   * Puts bytes of a stream.
   * @param expected what they must turn out to be
   * @throws StoreError `digest-mismatch`, `size-mismatch`, `no-space`
   */
  async put(
    session: Session,
    source: AsyncIterable<Uint8Array>,
    expected?: Pick<Descriptor, 'digest' | 'size'>,
  ): Promise<StoredBlob> {
    const arriving = expected && this.#arriving.get(expected.digest);
    try {
      return await this.#put(session, source, expected, arriving);
    } catch (error) {
      arriving?.break();
      throw error;
    }
  }

  async #put(
    session: Session,
    source: AsyncIterable<Uint8Array>,
    expected: Pick<Descriptor, 'digest' | 'size'> | undefined,
    arriving: ArrivingBlob | undefined,
  ): Promise<StoredBlob> {
    if (expected !== undefined) await this.#room.for(expected.size);
    const path = session.newPath('blob');
    const digester = new Digester();
    const file = await open(path, 'wx', 0o600);
    try {
      arriving?.begin(path);
      for await (const chunk of source) {
        if (expected !== undefined && digester.size + chunk.length > expected.size) {
          throw new StoreError(
            'size-mismatch',
            `${expected.digest} is longer than the ${expected.size} bytes stated`,
          );
        }
        digester.update(chunk);
        await file.writeFile(chunk);
        arriving?.grow(digester.size);
        checkWanted(arriving, expected, digester.size);
      }
    } catch (error) {
      await file.close();
      await rm(path, { force: true });
      throw diskError(error, 'cannot write to the store');
    }
    await file.close();
    const stored = { digest: digester.digest(), size: digester.size };
    if (expected === undefined) await this.#room.for(stored.size);
    else await checkAsExpected(stored, expected, path);
    await this.#name(session, path, stored.digest);
    return stored;
  }

  /** Puts bytes that are at hand. */
  async putBytes(session: Session, bytes: Uint8Array): Promise<StoredBlob> {
    const stored = { digest: digestOf(bytes), size: bytes.length };
    if (await this.has(session, stored.digest)) return stored;
    const path = session.newPath('blob');
    try {
      await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      await rm(path, { force: true });
      throw diskError(error, 'cannot write to the store');
    }
    await this.adopt(session, path, stored);
    return stored;
  }

  /** Gives a complete file of the session's folder its name. The caller has hashed what it wrote. */
  async adopt(session: Session, path: string, { digest, size }: StoredBlob): Promise<void> {
    await this.#room.for(size);
    await this.#name(session, path, digest);
  }

  async #name(session: Session, path: string, digest: Digest): Promise<void> {
    await session.hold(digest);
    if (this.size(digest) !== undefined && this.#seen.trust(digest, this.path(digest)) === 'known') {
      await rm(path);
      return;
    }
    await rename(path, this.path(digest));
    this.#seen.remember(digest, this.path(digest));
    this.#sizes.set(digest, fileUsage(this.path(digest)), 'measured');
  }

  /** Removes a blob. Prune and healing call it; whoever holds the blob does not expect it. */
  async remove(digest: Digest): Promise<void> {
    this.#seen.forget(digest);
    this.#sizes.forget(digest);
    await rm(this.path(digest), { force: true });
  }
}

/** Ends a transfer of which nothing can be made. */
function checkWanted(
  arriving: ArrivingBlob | undefined,
  expected: Pick<Descriptor, 'digest' | 'size'> | undefined,
  size: number,
): void {
  const why = arriving?.refusal;
  if (why === undefined || expected === undefined || expected.size - size <= NEARLY_THERE) return;
  throw new StoreError('corrupt-blob', why.message, { cause: why });
}

async function checkAsExpected(
  stored: StoredBlob,
  expected: Pick<Descriptor, 'digest' | 'size'>,
  path: string,
): Promise<void> {
  if (stored.size === expected.size && stored.digest === expected.digest) return;
  await rm(path, { force: true });
  if (stored.size !== expected.size) {
    throw new StoreError(
      'size-mismatch',
      `${expected.digest} is ${stored.size} bytes long, not the ${expected.size} stated`,
    );
  }
  throw new StoreError('digest-mismatch', `the bytes of ${expected.digest} have the digest ${stored.digest}`);
}

function missing(digest: Digest): StoreError {
  return new StoreError('missing-blob', `the blob ${digest} is not in the store`, { hint: VERIFY });
}

function corrupt(digest: Digest): StoreError {
  return new StoreError('corrupt-blob', `the blob ${digest} is damaged`, { hint: VERIFY });
}

const VERIFY = 'caisson store verify says all that is wrong; with --repair it mends what it can';

/** Reads until some memory is full, or the file ends. @returns what was read */
async function fill(file: FileHandle, memory: Buffer): Promise<Buffer> {
  let filled = 0;
  while (filled < memory.length) {
    const { bytesRead } = await file.read(memory, filled, memory.length - filled, null);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return memory.subarray(0, filled);
}
