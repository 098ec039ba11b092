import { Worker } from 'node:worker_threads';
import type { Digest } from '@caisson/oci';
import { BLOCK_SIZE, BlockRing } from './block-ring.ts';
import { LayerError, type LayerErrorCode } from './errors.ts';
import { programFile } from './program-file.ts';

const DECOMPRESS_WORKER = programFile(import.meta.url, './decompress-worker.ts', './decompress-worker.js');

/** The memory of two rings. */
export interface DecompressTask {
  readonly compressed: SharedArrayBuffer;
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
  readonly #reply: Promise<DecompressReply>;
  readonly #fed: Promise<void>;
  /** Rejects where the thread or the source fails. */
  readonly #failed = Promise.withResolvers<never>();

  /** @param source may be compressed, as for `decompressed` */
  constructor(source: AsyncIterable<Uint8Array>) {
    const { promise, resolve } = Promise.withResolvers<DecompressReply>();
    this.#reply = promise;
    this.#worker.once('message', resolve);
    this.#worker.once('error', this.#failed.reject);
    this.#failed.promise.catch(() => {}); // it is raced
    this.#fed = feed(this.#compressed, source);
    this.#fed.catch(this.#failed.reject);
    const task: DecompressTask = { compressed: this.#compressed.memory, plain: this.#plain.memory };
    this.#worker.postMessage(task);
  }

  /**
   * What comes out, in pieces that stay as they are until the next one is asked for. Where it ends too early, {@link sum} says
   * why.
   */
  async *pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const block = await Promise.race([this.#plain.willEmpty(), this.#failed.promise]);
      if (block === 'given-up' || block.length === 0) return;
      yield block;
      this.#plain.hasEmptied();
    }
  }

  /** The sum of all pieces, once they were read. @throws LayerError `invalid-compression` */
  async sum(): Promise<PlainSum> {
    const reply = await Promise.race([this.#reply, this.#failed.promise]);
    switch (reply.kind) {
      case 'done':
        return reply.sum;
      case 'unusable':
        throw new LayerError(reply.code, reply.message);
      case 'failed':
        throw Object.assign(new Error(reply.message), reply.code === undefined ? {} : { code: reply.code });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#compressed.end();
    await Promise.allSettled([this.#worker.terminate(), this.#fed]);
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
