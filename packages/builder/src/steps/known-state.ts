import type { Keyed, Op } from '../solve/op.ts';
import type { FileState } from '../state.ts';

/** A state that is known before anything is solved: nothing, or a base image. */
export class KnownState implements Op<FileState> {
  readonly inputs = [];
  readonly observer = { onHit() {}, onStart() {}, onDone() {}, onFailure() {}, onCancel() {} };
  readonly #state: FileState;

  constructor(state: FileState) {
    this.#state = state;
  }

  key(): Promise<Keyed<FileState>> {
    return Promise.resolve({ kind: 'result', result: this.#state });
  }

  find(): Promise<undefined> {
    return Promise.reject(new Error('Internal error: a known state is not looked up'));
  }

  explain(): Promise<never> {
    return Promise.reject(new Error('Internal error: a known state is not looked up'));
  }

  execute(): Promise<FileState> {
    return Promise.reject(new Error('Internal error: a known state is not made'));
  }
}
