import type { Changes } from './changes.ts';
import type { Clock } from './clock.ts';
import { FIRST_STATE, next, type WatchAction, type WatchInput, type WatchState } from './machine.ts';

/** A build that was begun. */
export interface RunningBuild {
  /** Settles when it has ended, in whatever way; rejects for what nobody expected. */
  readonly ended: Promise<void>;
  /** Ends what changes made useless, and lets it begin nothing more. */
  retire(changes: Changes): void;
  /** Ends all of it. */
  abort(): void;
}

/** What a watch works with. */
export interface LoopParts {
  /** Begins a build. @param changes undefined for the first one */
  readonly build: (changes: Changes | undefined) => RunningBuild;
  /** Told when there is nothing to do until something changes. */
  readonly onRest: () => void;
  readonly clock: Clock;
}

/** Does what the state machine of a watch says: runs its builds one after another, and its timer. */
export class WatchLoop {
  /** Settles when it is closed and nothing of it runs; rejects for what nobody expected of a build. */
  readonly finished: Promise<void>;
  readonly #parts: LoopParts;
  readonly #finish = Promise.withResolvers<void>();
  #state: WatchState = FIRST_STATE;
  #build: RunningBuild | undefined;
  #timer: Disposable | undefined;
  #error: { readonly error: unknown } | undefined;

  /** Begins the first build. */
  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.finished = this.#finish.promise;
    this.#begin(undefined);
  }

  /** Whether a build runs. */
  get isBuilding(): boolean {
    return this.#state.kind === 'building' || this.isOvertaken;
  }

  /** Whether something has changed since the build that runs began: another one follows. */
  get isOvertaken(): boolean {
    return this.#state.kind === 'overtaken' || this.#state.kind === 'retiring';
  }

  /** Says that something changed. */
  change(changes: Changes): void {
    this.#take({ kind: 'changed', changes, now: this.#parts.clock.now() });
  }

  /** Ends it. */
  close(): void {
    this.#take({ kind: 'close' });
  }

  #take(input: WatchInput): void {
    const [state, ...actions] = next(this.#state, input);
    this.#state = state;
    for (const action of actions) this.#do(action);
  }

  #do(action: WatchAction): void {
    switch (action.kind) {
      case 'wait':
        this.#stopWaiting();
        this.#timer = this.#parts.clock.setTimer(() => this.#take({ kind: 'quiet' }), action.for);
        return;
      case 'stop-waiting':
        return this.#stopWaiting();
      case 'build':
        return this.#begin(action.changes);
      case 'retire':
        return this.#build?.retire(action.changes);
      case 'abort':
        return this.#build?.abort();
      case 'rest':
        return this.#parts.onRest();
      case 'finish':
        if (this.#error === undefined) this.#finish.resolve();
        else this.#finish.reject(this.#error.error);
        return;
    }
  }

  #begin(changes: Changes | undefined): void {
    this.#build = this.#parts.build(changes);
    this.#build.ended.then(
      () => this.#take({ kind: 'ended' }),
      (error: unknown) => {
        this.#error = { error };
        this.#take({ kind: 'close' });
        this.#take({ kind: 'ended' });
      },
    );
  }

  #stopWaiting(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}
