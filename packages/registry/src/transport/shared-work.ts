import { aborted, throwIfAborted } from '../errors.ts';

/**
 * Waits for work that others wait for too: the signal of one ends its waiting, not the work.
 * @throws RegistryError `aborted`, and what the work throws
 */
export async function waitFor<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  throwIfAborted(signal);
  if (signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(aborted(signal));
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
    work.catch(() => {}); // who stopped waiting does not hear of it
  }
}
