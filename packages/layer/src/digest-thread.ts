import { Worker } from 'node:worker_threads';
import type { Digest } from '@caisson/oci';
import type { HostPath } from './byte-path.ts';
import { programFile } from './program-file.ts';

const DIGEST_WORKER = programFile(import.meta.url, './digest-worker.ts', './digest-worker.js');

/** How much is written before the thread is told of it, in bytes. */
const TOLD_EVERY = 4 << 20;

/** A tar, whose file is written while the thread reads it. */
export interface TarToFollow {
  readonly tar: HostPath;
  /** Another layer, whose tar begins with the same bytes. */
  readonly alike: Digest;
  /** How many they are. */
  readonly same: number;
}

/** What the thread is told of a tar, each of which has a number. */
export type DigestMessage = { readonly number: number } & (
  | ({ readonly kind: 'begin' } & TarToFollow)
  /** Up to where the file is as it will stay, in bytes, and whether that is all. */
  | { readonly kind: 'written'; readonly end: number; readonly isAll: boolean }
  | { readonly kind: 'given-up' }
);

/** What it says of one. */
export type DigestReply = { readonly number: number } & (
  | { readonly kind: 'done'; readonly digest: Digest }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | undefined }
  | { readonly kind: 'given-up' }
);

/**
 * Takes the digests of tars while they are written, in a thread of its own which follows their files. It remembers
 * those of the last ones as they were on the way: where a tar begins as one of them does, only the rest is read.
 */
export class DigestThread implements AsyncDisposable {
  /** Started when there is something to do; it keeps no process alive that waits for nothing. */
  #worker: Worker | undefined;
  #numbers = 0;
  readonly #open = new Map<number, PromiseWithResolvers<Digest>>();

  /** Begins with a tar, which is told of as it grows. */
  follow(tar: TarToFollow): FollowedTar {
    const number = this.#numbers++;
    const reply = Promise.withResolvers<Digest>();
    reply.promise.catch(() => {}); // finish() tells
    this.#open.set(number, reply);
    this.#worker ??= this.#start();
    this.#worker.ref();
    return new FollowedTar(this.#worker, number, tar, reply.promise);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(DIGEST_WORKER);
    worker.on('message', (reply: DigestReply) => this.#take(reply));
    worker.once('error', (error: unknown) => this.#lose(worker, error));
    worker.once('exit', () => {
      this.#lose(worker, new Error('Internal error: the thread of digests has ended'));
    });
    return worker;
  }

  #lose(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }

  #take(reply: DigestReply): void {
    const open = this.#open.get(reply.number);
    this.#open.delete(reply.number);
    if (this.#open.size === 0) this.#worker?.unref();
    if (reply.kind === 'done') open?.resolve(reply.digest);
    if (reply.kind === 'failed') {
      const { message, code } = reply;
      open?.reject(Object.assign(new Error(message), code === undefined ? {} : { code }));
    }
  }
}

/** A tar whose digest is taken while it is written. */
export class FollowedTar {
  readonly #worker: Worker;
  readonly #number: number;
  readonly #digest: Promise<Digest>;
  /** Up to where the thread knows of it. */
  #told: number;

  constructor(worker: Worker, number: number, tar: TarToFollow, digest: Promise<Digest>) {
    this.#worker = worker;
    this.#number = number;
    this.#digest = digest;
    this.#told = tar.same;
    this.#tell({ number, kind: 'begin', ...tar });
  }

  /** Says up to where the file is as it will stay, in bytes. */
  written(end: number): void {
    if (end - this.#told < TOLD_EVERY) return;
    this.#told = end;
    this.#tell({ number: this.#number, kind: 'written', end, isAll: false });
  }

  /** Says that the file is complete, and waits for its digest. */
  finish(size: number): Promise<Digest> {
    this.#tell({ number: this.#number, kind: 'written', end: size, isAll: true });
    return this.#digest;
  }

  /** Says that nobody waits for it any more; where it is finished, nothing happens. */
  giveUp(): void {
    this.#tell({ number: this.#number, kind: 'given-up' });
  }

  #tell(message: DigestMessage): void {
    this.#worker.postMessage(message);
  }
}
