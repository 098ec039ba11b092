import { isFull } from '@caisson/sys';
import { StoreError } from '@caisson/store';
import { failuresOf } from '../failure-of.ts';

/** A cache that cannot be used. */
export class CacheError extends Error {
  override readonly name = 'CacheError';
}

/** Why a cache cannot be used; undefined for an error that is none of the cache's: the build was ended, the disk is full. */
export function whyUnusable(error: unknown): string | undefined {
  if (error instanceof CacheError) return error.message;
  if (error instanceof Error && 'syscall' in error && !isFull(error)) return error.message;
  const [failure] = failuresOf(error) ?? [];
  if (failure === undefined || failure.code === 'cancelled' || failure.code === 'no-space') return undefined;
  return failure.message;
}

/** The same, where a full disk is no reason to end anything. */
export function whyNotDone(error: unknown): string | undefined {
  return whyUnusable(error) ?? (isNoSpace(error) ? 'no space left on the disk' : undefined);
}

function isNoSpace(error: unknown): boolean {
  return isFull(error) || (error instanceof StoreError && error.code === 'no-space');
}
