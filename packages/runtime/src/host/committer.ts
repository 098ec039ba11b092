import { Worker } from 'node:worker_threads';
import { isFull, type Time } from '@caisson/sys';
import { COMMIT_WORKER } from '../entry-points.ts';
import { RuntimeError } from '../errors.ts';
import type { CommittedLayer } from '../sandbox-spec.ts';
import type { Running } from './running.ts';

/** A folder of changes that is to become a layer. Paths are absolute, on the host. */
export interface CommitTask {
  readonly upper: string;
  readonly before: string | undefined;
  readonly tar: string;
  readonly toc: string;
  readonly latest?: Time;
}

/** What the thread is asked. */
export interface CommitMessage {
  readonly id: number;
  /** One number: not 0 as soon as the layer is not wanted any more. */
  readonly isCancelled: Int32Array;
  readonly task: CommitTask;
}

export type CommitReply =
  | { readonly kind: 'done'; readonly id: number; readonly layer: Omit<CommittedLayer, 'tree'> }
  | { readonly kind: 'cancelled'; readonly id: number }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly message: string;
      readonly code: string | undefined;
    };

/**
 * Makes layers of what sandboxes leave, in a thread of its own: reading, hashing and writing a large layer must not
 * hold up the output of the steps that run beside it.
 */
export class Committer {
  #worker: Worker | undefined;
  #tasks = 0;
  readonly #waiting = new Map<number, PromiseWithResolvers<CommitReply>>();

  /** Starts the thread, so that it is ready when the first step ends. Where there can be none, that step is told. */
  warmUp(): void {
    try {
      this.#worker ??= this.#start();
    } catch {
      // There may be room for it later.
    }
  }

  /**
   * Makes one layer. Tasks wait for one another: a second thread would only compete for the same cores.
   * @param running the sandbox that is to be ended where nobody wants it any more; its layer is given up then
   */
  async commit(task: CommitTask, running: Running): Promise<Omit<CommittedLayer, 'tree'>> {
    this.#worker ??= this.#start();
    this.#tasks++;
    const isCancelled = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    running.onKill(() => Atomics.store(isCancelled, 0, 1));
    const message: CommitMessage = { id: this.#tasks, task, isCancelled };
    const waiting = Promise.withResolvers<CommitReply>();
    this.#waiting.set(message.id, waiting);
    this.#worker.postMessage(message);
    const reply = await waiting.promise;
    switch (reply.kind) {
      case 'done':
        return reply.layer;
      case 'cancelled':
        throw new RuntimeError('aborted', 'the step was cancelled');
      case 'failed':
        throw new RuntimeError(isFull(reply) ? 'no-space' : 'commit-failed', reply.message);
    }
  }

  #start(): Worker {
    const worker = new Worker(COMMIT_WORKER);
    worker.on('message', (reply: CommitReply) => {
      this.#waiting.get(reply.id)?.resolve(reply);
      this.#waiting.delete(reply.id);
    });
    worker.on('error', (error) => {
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
      this.#worker = undefined;
    });
    return worker;
  }
}
