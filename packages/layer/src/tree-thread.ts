import { Worker } from 'node:worker_threads';
import type { DiffId } from '@caisson/oci';
import type { HostPath } from './byte-path.ts';
import { programFile } from './program-file.ts';

const TREE_WORKER = programFile(import.meta.url, './tree-worker.ts', './tree-worker.js');

export type TreeMessage =
  | { readonly kind: 'begin'; readonly tar: HostPath; readonly tree: HostPath }
  /** How far the tar is written, in bytes, and whether that is all. */
  | { readonly kind: 'written'; readonly end: number; readonly isAll: boolean };

export type TreeReply =
  | { readonly kind: 'done'; readonly diffId: DiffId }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | undefined };

/**
 * Makes the tree of a layer from its tar while that is being written: in a thread of its own, which follows the file.
 * The file is all that lies between the two, so neither waits for the other and no memory is held.
 */
export class TreeThread {
  readonly #worker: Worker;
  readonly #reply: Promise<TreeReply>;

  /**
   * @param tar the file that is written
   * @param tree an empty folder
   */
  constructor(tar: HostPath, tree: HostPath) {
    this.#worker = new Worker(TREE_WORKER);
    this.#reply = new Promise((resolve, reject) => {
      this.#worker.once('message', resolve);
      this.#worker.once('error', reject);
    });
    this.#reply.catch(() => {}); // finish() tells
    this.#tell({ kind: 'begin', tar, tree });
  }

  /** Says that the tar has grown. */
  written(end: number): void {
    this.#tell({ kind: 'written', end, isAll: false });
  }

  /**
   * Says that the tar is complete, and waits for the tree.
   * @returns the digest of the bytes that the tree was made from
   */
  async finish(end: number): Promise<DiffId> {
    this.#tell({ kind: 'written', end, isAll: true });
    const reply = await this.#reply;
    if (reply.kind === 'done') return reply.diffId;
    throw Object.assign(new Error(reply.message), reply.code === undefined ? {} : { code: reply.code });
  }

  /** Ends the thread, for a layer that is given up. */
  async abandon(): Promise<void> {
    await this.#worker.terminate();
  }

  #tell(message: TreeMessage): void {
    this.#worker.postMessage(message);
  }
}
