import { Worker } from 'node:worker_threads';
import { ROOT_WORKER } from '../../entry-points.ts';
import { RuntimeError, THREADS_HINT, type RuntimeErrorCode } from '../../errors.ts';
import type { CommitRequest, CommittedLayer, LayerFiles } from '../../sandbox-spec.ts';

/** What the thread is asked to do. Paths are absolute, on the host. */
export type RootTask =
  /** Make a root of layers, at a place or where one lies that has some of them already. */
  | { readonly kind: 'open'; readonly place: string; readonly layers: readonly LayerFiles[] }
  /** Make a folder that shows layers. */
  | { readonly kind: 'make'; readonly place: string; readonly layers: readonly LayerFiles[] }
  /** Copy a folder with all that is in it. */
  | { readonly kind: 'copy'; readonly from: string; readonly place: string }
  /** Make a layer of what changed in a root, which is kept for a step that runs on it. */
  | { readonly kind: 'commit'; readonly root: string; readonly commit: CommitRequest }
  /** Remove a root that nothing runs on. */
  | { readonly kind: 'drop'; readonly root: string };

export interface RootMessage {
  readonly id: number;
  readonly task: RootTask;
}

/** What became of it. */
export type RootReply =
  | { readonly kind: 'done'; readonly id: number; readonly root: string; readonly layer?: CommittedLayer }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly code: RuntimeErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
    };

/**
 * Makes roots by copying, and layers of what changed in them, in a thread of its own: it takes long, and must not hold
 * up the output of the steps that run beside it.
 */
export class RootTrees {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<RootReply>>();
  #tasks = 0;
  /** Why nobody answers any more. */
  #ended: RuntimeError | undefined;

  /**
   * @param isGuarded whether a device node that lies in an image opens no device of the machine
   * @throws RuntimeError where there is no thread to be had
   */
  constructor(isGuarded: boolean) {
    this.#worker = startThread(isGuarded);
    this.#worker.on('message', (reply: RootReply) => {
      this.#waiting.get(reply.id)?.resolve(reply);
      this.#waiting.delete(reply.id);
    });
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('it gave no reason')));
  }

  #end(error: unknown): void {
    this.#ended ??= threadEnded(error);
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended);
    this.#waiting.clear();
  }

  /** @returns where the root lies */
  async open(place: string, layers: readonly LayerFiles[]): Promise<string> {
    return (await this.#ask({ kind: 'open', place, layers })).root;
  }

  async make(place: string, layers: readonly LayerFiles[]): Promise<void> {
    await this.#ask({ kind: 'make', place, layers });
  }

  async copy(from: string, place: string): Promise<void> {
    await this.#ask({ kind: 'copy', from, place });
  }

  async commit(root: string, commit: CommitRequest): Promise<CommittedLayer> {
    const { layer } = await this.#ask({ kind: 'commit', root, commit });
    if (layer === undefined) throw new Error('Internal error: a commit that gave no layer');
    return layer;
  }

  async drop(root: string): Promise<void> {
    await this.#ask({ kind: 'drop', root });
  }

  /** Tasks wait for one another: a second thread would only compete for the same disk. */
  async #ask(task: RootTask): Promise<Extract<RootReply, { kind: 'done' }>> {
    if (this.#ended !== undefined) throw this.#ended;
    this.#tasks++;
    const message: RootMessage = { id: this.#tasks, task };
    const waiting = Promise.withResolvers<RootReply>();
    this.#waiting.set(message.id, waiting);
    this.#worker.postMessage(message);
    const reply = await waiting.promise;
    if (reply.kind === 'done') return reply;
    const { code, message: text, hint } = reply;
    throw new RuntimeError(code, text, hint === undefined ? {} : { hint });
  }
}

function startThread(isGuarded: boolean): Worker {
  try {
    return new Worker(ROOT_WORKER, { workerData: { isGuarded } });
  } catch (error) {
    throw threadEnded(error);
  }
}

function threadEnded(error: unknown): RuntimeError {
  const why = error instanceof Error ? error.message : String(error);
  return new RuntimeError('sandbox-failed', `the thread that copies files has ended: ${why}`, {
    hint: THREADS_HINT,
  });
}
