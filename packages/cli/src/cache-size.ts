import { parseCacheSize, type CacheSize } from '@caisson/store';
import { UsageError } from './usage-error.ts';

/** `--cache-max-size`. @throws UsageError */
export function cacheSizeOf(text: string): CacheSize {
  const size = parseCacheSize(text);
  if (size.ok) return size.value;
  const { message, expected } = size.error;
  throw new UsageError(`--cache-max-size ${message}`, { expected });
}
