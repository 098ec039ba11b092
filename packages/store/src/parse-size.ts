import { err, ok, type Result } from '@caisson/oci';
import type { CacheSize } from './cache-limit.ts';

const UNITS: Readonly<Record<string, number>> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** A size in bytes, as docker takes it: `64m`, `1.5g`, `512MiB`; undefined for what is none. */
export function parseSize(text: string): number | undefined {
  const [, count = '', unit = 'b'] = /^(\d{1,12}(?:\.\d+)?) ?(?:([bkmgt])(?:i?b)?)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(count) * (UNITS[unit.toLowerCase()] ?? 1));
  return count !== '' && bytes > 0 ? bytes : undefined;
}

const PERCENT = /^(\d{1,3}(?:\.\d+)?) ?%$/;

/** What is wrong with a size, to be read behind what says it. */
export interface SizeProblem {
  readonly message: string;
  readonly expected: string;
}

/** How much the cache may take: `20g`, or `10%` of the disk. */
export function parseCacheSize(text: string): Result<CacheSize, SizeProblem> {
  const percent = Number(PERCENT.exec(text)?.[1]);
  if (percent > 0 && percent <= 100) return ok({ percent });
  const bytes = parseSize(text);
  if (bytes !== undefined) return ok({ bytes });
  return err({
    message: `${JSON.stringify(text)} is no size`,
    expected: 'a size, for example 20g, or a part of the disk, for example 10%',
  });
}
