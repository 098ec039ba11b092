import type { CacheSize } from '@caisson/store';
import { parseBytes } from './parse-limits.ts';
import { UsageError } from './usage-error.ts';

const PERCENT = /^(\d{1,3}(?:\.\d+)?) ?%$/;

/**
 * How much the cache may take: `20g`, or `10%` of the disk.
 * @param origin what says so, for messages
 * @throws UsageError
 */
export function parseCacheSize(origin: string, text: string): CacheSize {
  const percent = Number(PERCENT.exec(text)?.[1]);
  if (percent > 0 && percent <= 100) return { percent };
  try {
    return { bytes: parseBytes(origin, text) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${origin} ${JSON.stringify(text)} is no size`, {
      expected: 'a size, for example 20g, or a part of the disk, for example 10%',
    });
  }
}
