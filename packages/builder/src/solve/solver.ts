import PQueue from 'p-queue';
import { inputsFirst } from './inputs-first.ts';
import { stepKey, type StepKey } from './key.ts';
import type { Op, Work } from './op.ts';

/** How to solve. */
export interface SolveOptions {
  /** How many ops may work at once. */
  readonly jobs: number;
  readonly signal?: AbortSignal;
}

/**
 * Solves a graph of ops: each once, when what it needs is known, side by side where nothing orders them; from the
 * cache where that has the result. The first failure ends all work that is going on, the search for keys too, and is thrown when
 * that has ended. It knows nothing of Dockerfiles and containers.
 */
export class Solver<T> {
  readonly #queue: PQueue;
  readonly #solved = new Map<Op<T>, Promise<T>>();
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  /** What works right now. */
  readonly #executing = new Map<StepKey, AbortController>();
  /** What was begun to be executed: two ops may have one key, and one result. */
  readonly #begun = new Map<StepKey, Promise<T>>();
  /** Aborted where no more keys are wanted. */
  readonly #keying = new AbortController();
  readonly #keySignal: AbortSignal;
  #isRetired = false;

  constructor({ jobs, signal }: SolveOptions) {
    this.#queue = new PQueue({ concurrency: jobs });
    const own = this.#abort.signal;
    this.#signal = signal === undefined ? own : AbortSignal.any([own, signal]);
    this.#keySignal = AbortSignal.any([this.#signal, this.#keying.signal]);
  }

  /** The result of an op. */
  async solve(op: Op<T>): Promise<T> {
    try {
      // From below: a chain of thousands of ops must not need as many frames of the stack.
      for (const each of inputsFirst(op)) void this.#solve(each);
      const result = await this.#solve(op);
      this.#throwIfRetired();
      return result;
    } catch (error) {
      if (!this.#isRetired) this.#abort.abort(error);
      // Also what only looks for keys: it reads what the next build may want to refresh.
      await Promise.allSettled(this.#solved.values());
      this.#throwIfRetired();
      // What made the others give up, not what they say of it.
      throw this.#abort.signal.reason;
    }
  }

  /** The keys of what works right now. */
  get executing(): ReadonlySet<StepKey> {
    return new Set(this.#executing.keys());
  }

  /**
   * Says that the result is not wanted any more, only that of some work which is going on: the rest of it ends, and
   * nothing more begins. {@link solve} throws when that is done.
   */
  retire(wanted: ReadonlySet<StepKey>): void {
    this.#isRetired = true;
    this.#keying.abort();
    for (const [key, work] of this.#executing) if (!wanted.has(key)) work.abort();
  }

  /** Whether its result is not wanted any more. */
  get isRetired(): boolean {
    return this.#isRetired;
  }

  #throwIfRetired(): void {
    if (this.#isRetired) throw new DOMException('the result is not wanted any more', 'AbortError');
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
    this.#keySignal.throwIfAborted();
    const keyed = await op.key(inputs, this.#keySignal);
    this.#keySignal.throwIfAborted();
    if (keyed.kind === 'result') return keyed.result;
    const { record } = keyed;
    const key = stepKey(record);
    const there = (await op.find(key, inputs, this.#keySignal)) ?? this.#begun.get(key);
    if (there !== undefined) {
      const result = await there;
      op.observer.onHit(key, result);
      return result;
    }
    const executed = this.#execute(op, { key, record, inputs });
    this.#begun.set(key, executed);
    return executed;
  }

  /** Works when it is its turn. */
  #execute(op: Op<T>, { key, record, inputs }: Omit<Work<T>, 'signal'>): Promise<T> {
    return this.#queue.add(async () => {
      this.#signal.throwIfAborted();
      this.#throwIfRetired();
      const work = new AbortController();
      const signal = AbortSignal.any([this.#signal, work.signal]);
      this.#executing.set(key, work);
      try {
        op.observer.onStart(key, record, await op.explain(key, record, inputs));
        const result = await op.execute({ key, record, inputs, signal });
        op.observer.onDone(key, result);
        return result;
      } catch (error) {
        // What was told to end did not fail, whatever it says of it.
        if (signal.aborted) op.observer.onCancel(signal.reason);
        else op.observer.onFailure(error);
        if (!this.#isRetired) this.#abort.abort(error);
        throw error;
      } finally {
        this.#executing.delete(key);
      }
    });
  }
}
