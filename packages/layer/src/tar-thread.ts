import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { BLOCK_SIZE, BlockRing } from './block-ring.ts';
import type { HostPath } from './byte-path.ts';
import { programFile } from './program-file.ts';
import type { TarSum } from './tar-file.ts';

const TAR_WORKER = programFile(import.meta.url, './tar-worker.ts', './tar-worker.js');

/** A thread that has emptied nothing for so long, in milliseconds, did not come up. */
const START_LIMIT = 60_000;

/** What the thread is given. */
export interface TarTask {
  readonly memory: SharedArrayBuffer;
  readonly port: MessagePort;
  /** A new file. */
  readonly path: HostPath;
}

/** What the thread says at its end. */
export type TarReply =
  | { readonly kind: 'done'; readonly sum: TarSum }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | undefined };

/**
 * Hashes and writes a tar in a thread of its own, in the order in which the blocks are filled. Nothing here waits for an
 * event loop: who makes layers does so in one go.
 */
export class TarThread {
  readonly #ring = new BlockRing();
  readonly #port: MessagePort;
  /** How many bytes the thread was given. */
  #given = 0;
  #block: Buffer;

  /** @param path a new file */
  constructor(path: HostPath) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const worker = new Worker(TAR_WORKER);
    worker.on('error', () => {}); // one that did not come up: START_LIMIT tells
    worker.unref();
    const task: TarTask = { memory: this.#ring.memory, port: port2, path };
    worker.postMessage(task, [port2]);
    this.#block = this.#next();
  }

  /** Where the next bytes are put. */
  get block(): Buffer {
    return this.#block;
  }

  /** How much is in the file, in bytes. */
  get written(): number {
    return Math.min(this.#ring.emptied * BLOCK_SIZE, this.#given); // no block but the last is less than full
  }

  /** Gives so many bytes of the block to the thread, and waits for another block. */
  append(length: number): void {
    this.#ring.filled(length);
    this.#given += length;
    this.#block = this.#next();
  }

  /** Waits until all is written. */
  finish(): TarSum {
    this.#ring.filled(0);
    const reply = this.#waitFor(() => this.#reply);
    if (reply.kind === 'done') return reply.sum;
    throw failure(reply);
  }

  /** Ends the thread. */
  abandon(): void {
    this.#ring.giveUp();
  }

  #next(): Buffer {
    const next = this.#waitFor(() => this.#reply ?? this.#ring.toFill);
    if (!('kind' in next)) return next;
    throw next.kind === 'failed' ? failure(next) : new Error('Internal error: a tar ended too early');
  }

  /** What the thread said, once it is through. */
  get #reply(): TarReply | undefined {
    if (!this.#ring.isOver) return undefined;
    const received: { message: TarReply } | undefined = receiveMessageOnPort(this.#port);
    return received?.message;
  }

  #waitFor<T>(look: () => T | undefined): T {
    for (;;) {
      const { emptied } = this.#ring;
      const found = look();
      if (found !== undefined) return found;
      if (this.#ring.waitForMore(emptied, START_LIMIT) === 'timed-out' && emptied === 0)
        throw new Error('Internal error: the thread that writes a layer did not start');
    }
  }
}

function failure({ message, code }: Extract<TarReply, { kind: 'failed' }>): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}
