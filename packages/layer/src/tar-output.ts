import type { Digester } from '@caisson/oci';
import { BLOCK_SIZE } from './block-ring.ts';
import type { HostPath } from './byte-path.ts';
import { TarFile, type TarSum } from './tar-file.ts';
import type { TarSink } from './tar-sink.ts';
import { TarThread } from './tar-thread.ts';

/** Who writes what was put into a block. */
interface BlockWriter {
  /** Where the next bytes are put; another one after each {@link append}. */
  readonly block: Buffer;
  /** Writes so many bytes of the block, from its start on. */
  append(length: number): void;
  /** How much is in the file, in bytes. */
  readonly written: number;
  finish(): TarSum;
  abandon(): void;
}

/** How to write a tar. */
export interface TarOutputOptions {
  /** Told how much of it is in the file. */
  readonly onFlush?: ((end: number) => void) | undefined;
  /**
   * Hashes and writes in a thread of its own, while whoever calls reads what comes next. To start one takes as long as
   * to write some 16 MB.
   */
  readonly inThread?: boolean;
}

/** A tar while it is written: collected in blocks, which are hashed and written one after another. */
export class TarOutput implements TarSink {
  readonly #file: TarFile | undefined;
  readonly #writer: BlockWriter;
  readonly #onFlush: (end: number) => void;
  /** How much of the block is used. */
  #used = 0;
  /** How much was in the blocks before. */
  #flushed = 0;

  /** @param path a new file */
  constructor(path: HostPath, { onFlush = () => {}, inThread = false }: TarOutputOptions = {}) {
    this.#onFlush = onFlush;
    this.#file = inThread ? undefined : new TarFile(path);
    this.#writer = this.#file === undefined ? new TarThread(path) : new WriterHere(this.#file);
  }

  /** How much has been put into it, in bytes. */
  get position(): number {
    return this.#flushed + this.#used;
  }

  write(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const part = bytes.subarray(at, at + this.room.length);
      this.room.set(part);
      this.advance(part.length);
      at += part.length;
    }
  }

  /** Where the next bytes may be put by whoever reads them, instead of {@link write}; it is never empty. */
  get room(): Buffer {
    return this.#writer.block.subarray(this.#used);
  }

  /** Says how many bytes were put into {@link room}. */
  advance(length: number): void {
    this.#used += length;
    if (this.#used === BLOCK_SIZE) this.#flush();
  }

  /** Takes the digest of what has been written so far, and of what comes after it elsewhere. Not where a thread writes. */
  fork(): Digester {
    if (this.#file === undefined) throw new Error('Internal error: the digest of a tar is in another thread');
    const fork = this.#file.fork();
    fork.update(this.#writer.block.subarray(0, this.#used));
    return fork;
  }

  /** Writes what is left, and closes the file. */
  finish(): TarSum {
    if (this.#used > 0) this.#flush();
    const sum = this.#writer.finish();
    this.#onFlush(sum.size);
    return sum;
  }

  /** Closes the file as it is. */
  abandon(): void {
    this.#writer.abandon();
  }

  #flush(): void {
    this.#writer.append(this.#used);
    this.#flushed += this.#used;
    this.#used = 0;
    this.#onFlush(this.#writer.written);
  }
}

/** Writes each block at once. */
class WriterHere implements BlockWriter {
  readonly block = Buffer.allocUnsafe(BLOCK_SIZE);
  readonly #file: TarFile;

  constructor(file: TarFile) {
    this.#file = file;
  }

  append(length: number): void {
    this.#file.append(this.block.subarray(0, length));
  }

  get written(): number {
    return this.#file.size;
  }

  finish(): TarSum {
    return this.#file.finish();
  }

  abandon(): void {
    this.#file.abandon();
  }
}
