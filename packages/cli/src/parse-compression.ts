import type { Compression } from '@caisson/oci';
import { oneOf } from './parse-options.ts';

/** The words for it: `uncompressed` is docker's for `none`. */
export const COMPRESSIONS = ['gzip', 'zstd', 'none', 'uncompressed'] as const;

/** How layers may be compressed. @throws UsageError */
export function parseCompression(flag: string, text: string): Compression {
  const given = oneOf(flag, text, COMPRESSIONS);
  return given === 'uncompressed' ? 'none' : given;
}
