import PQueue from 'p-queue';
import { inputsFirst } from './inputs-first.ts';
import { stepKey } from './key.ts';
import type { Op } from './op.ts';

/** How to solve. */
export interface SolveOptions {
  /** How many ops may work at once. */
  readonly jobs: number;
  readonly signal?: AbortSignal;
}

/**
 * Solves a graph of ops: each once, when what it needs is known, side by side where nothing orders them; from the
 * cache where that has the result. The first failure ends all work that is going on, and is thrown when that has
 * ended. It knows nothing of Dockerfiles and containers.
 */
export class Solver<T> {
  readonly #queue: PQueue;
  readonly #solved = new Map<Op<T>, Promise<T>>();
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #working = new Set<Promise<T>>();

  constructor({ jobs, signal }: SolveOptions) {
    this.#queue = new PQueue({ concurrency: jobs });
    const own = this.#abort.signal;
    this.#signal = signal === undefined ? own : AbortSignal.any([own, signal]);
  }

  /** The result of an op. */
  async solve(op: Op<T>): Promise<T> {
    try {
      // From below: a chain of thousands of ops must not need as many frames of the stack.
      for (const each of inputsFirst(op)) void this.#solve(each);
      return await this.#solve(op);
    } catch (error) {
      this.#abort.abort(error);
      await Promise.allSettled(this.#working);
      // What made the others give up, not what they say of it.
      throw this.#abort.signal.reason;
    }
  }

  #solve(op: Op<T>): Promise<T> {
    const known = this.#solved.get(op);
    if (known !== undefined) return known;
    const solved = this.#begin(op);
    this.#solved.set(op, solved);
    return solved;
  }

  async #begin(op: Op<T>): Promise<T> {
    const inputs = await Promise.all(op.inputs.map((input) => this.#solve(input)));
    this.#signal.throwIfAborted();
    const keyed = await op.key(inputs, this.#signal);
    if (keyed.kind === 'result') return keyed.result;
    const { record } = keyed;
    const key = stepKey(record);
    const found = await op.find(key, inputs);
    if (found !== undefined) {
      op.observer.onHit(key, found);
      return found;
    }
    const work = this.#queue.add(async () => {
      this.#signal.throwIfAborted();
      try {
        op.observer.onStart(key, record, await op.explain(key, record, inputs));
        const result = await op.execute({ key, record, inputs, signal: this.#signal });
        op.observer.onDone(key, result);
        return result;
      } catch (error) {
        op.observer.onFailure(error);
        this.#abort.abort(error);
        throw error;
      }
    });
    this.#working.add(work);
    return work;
  }
}
