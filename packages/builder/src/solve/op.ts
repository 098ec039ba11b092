import type { MissReason } from './miss-reason.ts';
import type { KeyRecord, StepKey } from './key.ts';

/** All that the solver knows of a step. Ops are compared by identity: one that two others need runs once. */
export interface Op<T> {
  /** What must be solved before. */
  readonly inputs: readonly Op<T>[];

  /**
   * Everything that can change the result, or the result itself where nothing has to be looked up or done for it.
   * Called once, with the results of the inputs.
   */
  key(inputs: readonly T[], signal: AbortSignal): Promise<Keyed<T>>;

  /** The result that the cache holds under a key, if it holds one that can be used. */
  find(key: StepKey, inputs: readonly T[], signal: AbortSignal): Promise<T | undefined>;

  /** Why the cache does not have it: asked for after {@link find} found nothing. */
  explain(key: StepKey, record: KeyRecord, inputs: readonly T[]): Promise<MissReason>;

  /** Does the work. Called at most once, and only after {@link find} found nothing. */
  execute(work: Work<T>): Promise<T>;

  /** Told how it went, for whoever watches. */
  readonly observer: OpObserver<T>;
}

/** What an op says of itself when its inputs are known. */
export type Keyed<T> =
  | { readonly kind: 'key'; readonly record: KeyRecord }
  | { readonly kind: 'result'; readonly result: T };

/** What an op needs to do its work. */
export interface Work<T> {
  readonly key: StepKey;
  readonly record: KeyRecord;
  readonly inputs: readonly T[];
  /** Aborted when the result is not needed any more. */
  readonly signal: AbortSignal;
}

/** Hears of an op. */
export interface OpObserver<T> {
  /** The cache had it. */
  onHit(key: StepKey, result: T): void;
  /** The work begins. */
  onStart(key: StepKey, record: KeyRecord, reason: MissReason): void;
  /** The work is done. */
  onDone(key: StepKey, result: T): void;
  /** The work failed. */
  onFailure(error: unknown): void;
  /** The work was told to end before it was done. @param why what it was told to end for */
  onCancel(why: unknown): void;
}
