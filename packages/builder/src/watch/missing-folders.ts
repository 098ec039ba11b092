import { existsSync } from 'node:fs';
import type { Clock } from './clock.ts';

/** How often is looked whether a folder has come, in milliseconds. */
const INTERVAL = 500;

/**
 * Waits for folders that are not there. The kernel tells of what happens in a folder that is watched: one that comes in the
 * place of another is not watched yet.
 */
export class MissingFolders implements Disposable {
  readonly #clock: Clock;
  readonly #onCome: () => void;
  #timer: Disposable | undefined;

  /** @param onCome told once, when one of those that were waited for last is there */
  constructor(clock: Clock, onCome: () => void) {
    this.#clock = clock;
    this.#onCome = onCome;
  }

  /** Waits for these, and no others. */
  await(folders: readonly string[]): void {
    this[Symbol.dispose]();
    if (folders.length === 0) return;
    this.#timer = this.#clock.setTimer(() => {
      if (folders.some((folder) => existsSync(folder))) this.#onCome();
      else this.await(folders);
    }, INTERVAL);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}
