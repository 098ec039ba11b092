import { closeSync, fstatSync, ftruncateSync, openSync, readSync, constants } from 'node:fs';
import { createHash } from 'node:crypto';
import { beginWriteBack, errorCode } from '@caisson/sys';
import { asDiffId, Digester, digestFromHex, digestOf, type Digest, type DiffId } from '@caisson/oci';
import { baseName, childOf, fsPath, parentOf, textOf, type BytePath, type HostPath } from './byte-path.ts';
import { ContentDigester } from './content-digest.ts';
import type { Entry, FileEntry, HardLinkEntry, NodeEntry } from './entry.ts';
import { LayerError } from './errors.ts';
import { BLOCK, encodeHeader, type TarFields } from './tar-header.ts';
import { Toc } from './toc.ts';
import { isZeros, writeFully } from './tree-writer.ts';

/** Where the bytes of a file come from. */
export type Content =
  | {
      readonly kind: 'file';
      readonly path: HostPath;
      /** In bytes: where the content begins. */ readonly offset?: number;
    }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** A layer that was written. */
export interface WrittenLayer {
  readonly diffId: DiffId;
  /** The same without times and without folders that are there only as parents. */
  readonly contentDigest: Digest;
  /** The size of the tar in bytes. */
  readonly size: number;
  /** With the digest and the offset of each file. */
  readonly toc: Toc;
}

const BUFFER_SIZE = 1 << 20;
/** How much is written to the disk at once, while the rest is made: the barrier at the end has less to wait for. */
const WRITE_BACK = 8 << 20;
const ZERO_BLOCK = Buffer.alloc(BLOCK);

/**
 * Writes a layer's tar in the one form that Caisson knows: the entries bytewise by path, the headers a function of
 * what they say, two blocks of zeros at the end. Runs of zeros stay holes on disk.
 * @see https://github.com/opencontainers/image-spec/blob/main/layer.md
 */
export class LayerWriter {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_SIZE);
  #used = 0;
  /** Bytes that left the buffer. */
  #flushed = 0;
  /** Up to where the kernel was told to write. */
  #begun = 0;
  readonly #tar = new Digester();
  readonly #content = new ContentDigester();
  readonly #entries: Entry[] = [];
  #last: string | undefined;
  readonly #onFlush: (end: number) => void;

  /**
   * @param path a new file
   * @param onFlush told how much of it is written
   */
  constructor(path: HostPath, onFlush: (end: number) => void = () => {}) {
    this.#onFlush = onFlush;
    this.#fd = openSync(fsPath(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  }

  /**
   * Adds an entry; they must come bytewise by path.
   * @param role whether it is a folder that is there only because of what is in it
   */
  add(entry: Exclude<Entry, FileEntry | HardLinkEntry>, role: 'change' | 'parent' = 'change'): void {
    this.#checkOrder(entry);
    this.#write(encodeHeader(tarFields(entry)));
    if (role === 'change') this.#content.add(entry);
    this.#entries.push(entry);
  }

  /**
   * Adds a regular file. Its size must be what `entry` says: a file that grew or shrank since it was looked at is an
   * error.
   * @returns the entry, with the digest of the bytes that were written and where they lie
   */
  addFile(entry: FileEntry, content: Content): FileEntry {
    this.#checkOrder(entry);
    this.#write(encodeHeader(tarFields(entry)));
    const offset = this.#flushed + this.#used;
    const digest = this.#copyContent(entry, content);
    this.#write(ZERO_BLOCK.subarray(0, (BLOCK - (entry.size % BLOCK)) % BLOCK));
    const written = { ...entry, digest, offset };
    this.#content.add(written);
    this.#entries.push(written);
    return written;
  }

  /**
   * Adds another name of a file, or of anything but a folder, that was added before. Its header repeats the attributes
   * of that node: readers set them again, and a change of owner would clear file capabilities.
   */
  addHardLink(entry: HardLinkEntry, node: NodeEntry): void {
    this.#checkOrder(entry);
    const fields = {
      ...attributesOf(node),
      type: entry.type,
      name: entry.path,
      linkName: entry.target,
      size: 0,
    };
    this.#write(encodeHeader(fields));
    this.#content.add(entry);
    this.#entries.push(entry);
  }

  /** Ends the archive and closes the file. */
  finish(): WrittenLayer {
    this.#write(ZERO_BLOCK);
    this.#write(ZERO_BLOCK);
    this.#flush();
    ftruncateSync(this.#fd, this.#flushed);
    closeSync(this.#fd);
    return {
      diffId: asDiffId(this.#tar.digest()),
      contentDigest: this.#content.digest(),
      size: this.#flushed,
      toc: new Toc(this.#entries),
    };
  }

  /** Closes the file as it is, for a layer that is given up. */
  abandon(): void {
    closeSync(this.#fd);
  }

  #checkOrder(entry: Entry): void {
    const name = tarName(entry);
    if (this.#last !== undefined && this.#last >= name) {
      throw new Error(`Internal error: ${textOf(name)} comes after ${textOf(this.#last)} in a layer`);
    }
    if (entry.type !== 'whiteout' && baseName(entry.path).startsWith(WHITEOUT_PREFIX)) {
      const path = `/${textOf(entry.path)}`;
      const why = `names that begin with "${WHITEOUT_PREFIX}" are how layers say that a file is gone`;
      throw new LayerError('unsafe-layer', `${path} cannot be in an image: ${why}`, { path });
    }
    this.#last = name;
  }

  #write(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const part = bytes.subarray(at, at + BUFFER_SIZE - this.#used);
      this.#buffer.set(part, this.#used);
      this.#advance(part.length);
      at += part.length;
    }
  }

  #advance(length: number): void {
    this.#used += length;
    if (this.#used === BUFFER_SIZE) this.#flush();
  }

  #flush(): void {
    const full = this.#buffer.subarray(0, this.#used);
    this.#tar.update(full);
    if (!isZeros(full)) writeFully(this.#fd, full, this.#flushed);
    this.#flushed += this.#used;
    this.#used = 0;
    if (this.#flushed - this.#begun >= WRITE_BACK) {
      beginWriteBack(this.#fd, this.#begun, this.#flushed - this.#begun);
      this.#begun = this.#flushed;
    }
    this.#onFlush(this.#flushed);
  }

  #copyContent(entry: FileEntry, content: Content): Digest {
    return content.kind === 'bytes' ? this.#copyBytes(entry, content.bytes) : this.#copyFile(entry, content);
  }

  #copyBytes(entry: FileEntry, bytes: Uint8Array): Digest {
    if (bytes.length !== entry.size)
      throw new Error(`Internal error: ${textOf(entry.path)} has another size than said`);
    this.#write(bytes);
    return digestOf(bytes);
  }

  #copyFile({ size }: FileEntry, { path, offset }: Extract<Content, { kind: 'file' }>): Digest {
    const fd = openSync(fsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      // A part of a larger file may well be followed by something.
      if (offset !== undefined) return this.#copyFrom(fd, size, offset, path);
      if (size < BUFFER_SIZE - this.#used) return this.#copySmall(fd, size, path);
      const digest = this.#copyFrom(fd, size, 0, path);
      if (readSync(fd, PROBE, 0, 1, size) !== 0 && fstatSync(fd).size !== size) throw changed(path);
      return digest;
    } catch (error) {
      throw IS_NO_FILE.has(errorCode(error)) ? changed(path) : error;
    } finally {
      closeSync(fd);
    }
  }

  /** Most files are small: one read says what is in it and that it has not grown. */
  #copySmall(fd: number, size: number, path: HostPath): Digest {
    let done = 0;
    do {
      const read = readSync(fd, this.#buffer, this.#used + done, size + 1 - done, done);
      if (read === 0) break;
      done += read;
    } while (done < size);
    if (done < size || (done > size && fstatSync(fd).size !== size)) throw changed(path);
    const digest = digestOf(this.#buffer.subarray(this.#used, this.#used + size));
    this.#advance(size);
    return digest;
  }

  /** Copies through the buffer, hashing what goes by. */
  #copyFrom(fd: number, size: number, offset: number, path: HostPath): Digest {
    const hasher = createHash('sha256');
    for (let done = 0; done < size;) {
      const part = Math.min(size - done, BUFFER_SIZE - this.#used);
      this.#fill(fd, part, offset + done, path);
      hasher.update(this.#buffer.subarray(this.#used, this.#used + part));
      this.#advance(part);
      done += part;
    }
    return digestFromHex(hasher.digest('hex'));
  }

  #fill(fd: number, length: number, position: number, path: HostPath): void {
    for (let done = 0; done < length;) {
      const read = readSync(fd, this.#buffer, this.#used + done, length - done, position + done);
      if (read === 0) throw changed(path);
      done += read;
    }
  }
}

/** What reading gives where there is a folder or a pipe now. */
const IS_NO_FILE: ReadonlySet<string | undefined> = new Set(['EISDIR', 'ESPIPE']);

const PROBE = Buffer.alloc(1);

function changed(path: HostPath): LayerError {
  return new LayerError('changed-while-read', `${textOf(path)} changed while it was read`, {
    path: textOf(path),
  });
}

const WHITEOUT_PREFIX = '.wh.';

/** The name of an entry in a tar, which is what entries are ordered by. A whiteout comes before its siblings. */
export function tarName(entry: Entry): BytePath {
  if (entry.type !== 'whiteout') return entry.path;
  return childOf(parentOf(entry.path), `${WHITEOUT_PREFIX}${baseName(entry.path)}`);
}

const NO_ATTRIBUTES = { mode: 0, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 } };

/** An entry as a tar says it: folders end in a slash, a whiteout is an empty file with a prefix. */
function tarFields(entry: Exclude<Entry, HardLinkEntry>): TarFields {
  const name = tarName(entry);
  if (entry.type === 'whiteout') return { ...NO_ATTRIBUTES, type: 'file', name, size: 0 };
  const fields = { ...attributesOf(entry), name, size: 0 };
  switch (entry.type) {
    case 'directory':
      return { ...fields, type: entry.type, name: `${name}/` };
    case 'file':
      return { ...fields, type: entry.type, size: entry.size };
    case 'symlink':
      return { ...fields, type: entry.type, linkName: entry.target };
    case 'char':
    case 'block':
      return { ...fields, type: entry.type, major: entry.major, minor: entry.minor };
    case 'fifo':
      return { ...fields, type: entry.type };
  }
}

function attributesOf(entry: NodeEntry): Omit<TarFields, 'name' | 'type' | 'size'> {
  const { mode, uid, gid, mtime, xattrs } = entry;
  return { mode, uid, gid, mtime, ...(xattrs === undefined ? {} : { xattrs }) };
}
