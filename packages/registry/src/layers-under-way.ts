import { throwIfAborted } from './errors.ts';

/**
 * What is being sent now. Who is to send what somebody else sends to the same registry waits for that: then the registry
 * has it, and takes it over by itself.
 */
export class LayersUnderWay {
  readonly #sent = new Map<string, Promise<unknown>>();

  /**
   * Does something after the others that are of the same name, whatever became of them.
   * @throws RegistryError `aborted`; what the work throws
   */
  inTurn<T>(name: string, work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const earlier = this.#sent.get(name);
    const done = settled(earlier, signal).then(() => {
      throwIfAborted(signal);
      return work();
    });
    // One that is cancelled while it waits is over before those that it waited for.
    const all = Promise.allSettled([earlier, done]).finally(() => {
      if (this.#sent.get(name) === all) this.#sent.delete(name);
    });
    this.#sent.set(name, all);
    return done;
  }
}

/** Waits for the end of something, or of all. */
async function settled(work: Promise<unknown> | undefined, signal: AbortSignal | undefined): Promise<void> {
  if (work === undefined) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      signal?.removeEventListener('abort', end);
      resolve();
    };
    signal?.addEventListener('abort', end);
    if (signal?.aborted === true) end();
    work.then(end, end);
  });
}
