import { Worker } from 'node:worker_threads';
import type { Time } from '@caisson/sys';
import { COMMIT_WORKER } from '../entry-points.ts';
import { RuntimeError } from '../errors.ts';
import type { CommittedLayer } from '../sandbox-spec.ts';

/** A folder of changes that is to become a layer. Paths are absolute, on the host. */
export interface CommitTask {
  readonly upper: string;
  readonly before: string | undefined;
  readonly tar: string;
  readonly toc: string;
  readonly latest?: Time;
}

export type CommitReply =
  | { readonly kind: 'done'; readonly layer: Omit<CommittedLayer, 'tree'> }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | undefined };

/**
 * Makes layers of what sandboxes leave, in a thread of its own: reading, hashing and writing a large layer must not
 * hold up the output of the steps that run beside it.
 */
export class Committer {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** Starts the thread, so that it is ready when the first step ends. */
  warmUp(): void {
    this.#worker ??= new Worker(COMMIT_WORKER);
  }

  /** Makes one layer. Tasks wait for one another: a second thread would only compete for the same cores. */
  async commit(task: CommitTask): Promise<Omit<CommittedLayer, 'tree'>> {
    const turn = this.#last.then(() => this.#ask(task));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #ask(task: CommitTask): Promise<Omit<CommittedLayer, 'tree'>> {
    this.warmUp();
    const worker = this.#worker;
    if (worker === undefined) throw new Error('Internal error: no thread');
    const reply = await new Promise<CommitReply>((resolve, reject) => {
      const done = (message: CommitReply): void => {
        worker.off('error', reject);
        resolve(message);
      };
      worker.once('message', done);
      worker.once('error', reject);
      worker.postMessage(task);
    });
    if (reply.kind === 'done') return reply.layer;
    throw new RuntimeError(reply.code === 'ENOSPC' ? 'no-space' : 'commit-failed', reply.message);
  }
}
