import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Digest } from '@caisson/oci';
import { BLOCK_SIZE, BlockRing } from './block-ring.ts';
import { isGzip, splitHead } from './decompress.ts';
import { LayerError, type LayerErrorCode } from './errors.ts';
import { GzipProgram } from './gzip-program.ts';
import { programFile } from './program-file.ts';

const DECOMPRESS_WORKER = programFile(import.meta.url, './decompress-worker.ts', './decompress-worker.js');

/** How many blocks are read in one turn of the event loop. */
const TURN = 16;

/** What is to be read, and the memory of the ring for what comes of it. */
export interface DecompressTask {
  /** The memory of a ring, or a descriptor of what a program has decompressed already. */
  readonly from: SharedArrayBuffer | number;
  readonly plain: SharedArrayBuffer;
}

/** What the thread says at its end. */
export type DecompressReply =
  | { readonly kind: 'done'; readonly sum: PlainSum }
  | { readonly kind: 'unusable'; readonly message: string; readonly code: LayerErrorCode }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | undefined };

/** Of bytes without compression. */
export interface PlainSum {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/**
 * Decompresses and hashes in a thread of its own, so that this one can fetch and write meanwhile. Bytes go there and come back
 * through memory that both share: as buffers, each of them would be one more for the collector of this thread's heap.
 */
export class DecompressThread implements AsyncDisposable {
  readonly #worker = new Worker(DECOMPRESS_WORKER);
  readonly #compressed = new BlockRing();
  readonly #plain = new BlockRing();
  readonly #reply = Promise.withResolvers<DecompressReply>();
  readonly #fed: Promise<void>;
  readonly #signal: AbortSignal | undefined;
  readonly #abort: () => void;
  #program: GzipProgram | undefined;
  /** Why the thread or the source failed. */
  #failure: { readonly error: unknown } | undefined;

  /**
   * @param source may be compressed, as for `decompressed`
   * @param signal ends it, whatever it waits for: a program may be stopped for good
   */
  constructor(source: AsyncIterable<Uint8Array>, signal?: AbortSignal) {
    const fail = (error: unknown): void => {
      this.#failure ??= { error };
      this.#reply.reject(error);
      this.#plain.interrupt();
    };
    this.#reply.promise.catch(() => {}); // sum() tells, or nobody wants to know
    this.#worker.once('message', this.#reply.resolve);
    this.#worker.once('error', fail);
    this.#worker.once('exit', () =>
      fail(new Error('Internal error: the thread that decompresses has ended')),
    );
    this.#signal = signal;
    this.#abort = () => fail(signal?.reason);
    signal?.addEventListener('abort', this.#abort);
    this.#fed = this.#feed(source);
    this.#fed.catch(fail);
  }

  async #feed(source: AsyncIterable<Uint8Array>): Promise<void> {
    const { head, rest } = await splitHead(source);
    this.#program = isGzip(head) ? await GzipProgram.start() : undefined;
    if (this.#compressed.isOver) this.#program?.kill(); // nobody wants it any more
    const from = this.#program?.output ?? this.#compressed.memory;
    this.#worker.postMessage({ from, plain: this.#plain.memory } satisfies DecompressTask);
    if (this.#program === undefined) await feed(this.#compressed, rest);
    else await this.#program.feed(rest);
  }

  /**
   * What comes out, in pieces that stay as they are until the next one is asked for. Where it ends too early, {@link sum} says
   * why.
   */
  async *pieces(): AsyncGenerator<Uint8Array> {
    for (let count = 1; ; count++) {
      const block = await this.#plain.willEmpty();
      if (this.#failure !== undefined) throw this.#failure.error;
      if (block === 'given-up' || block.length === 0) return;
      yield block;
      this.#plain.hasEmptied();
      // Where the other thread is always ahead, nothing else would get its turn here.
      if (count % TURN === 0) await setImmediate();
    }
  }

  /** The sum of all pieces, once they were read. @throws LayerError `invalid-compression`, `not-decompressed` */
  async sum(): Promise<PlainSum> {
    const reply = await this.#reply.promise;
    switch (reply.kind) {
      case 'done':
        await this.#program?.check();
        await this.#fed;
        return reply.sum;
      case 'unusable':
        throw new LayerError(reply.code, reply.message);
      case 'failed':
        throw Object.assign(new Error(reply.message), reply.code === undefined ? {} : { code: reply.code });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#compressed.end();
    this.#program?.kill();
    await Promise.allSettled([this.#worker.terminate(), this.#fed]);
    await this.#program?.[Symbol.asyncDispose]();
  }
}

/** Gives all bytes to the thread, or as many as it takes. */
async function feed(ring: BlockRing, source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; at += BLOCK_SIZE) {
      const block = await ring.willFill();
      if (block === undefined) return;
      const part = bytes.subarray(at, at + BLOCK_SIZE);
      block.set(part);
      ring.filled(part.length);
    }
  }
  if ((await ring.willFill()) !== undefined) ring.filled(0);
}
