import type { Compression } from '@caisson/oci';
import { oneOf } from './parse-options.ts';

/** How layers may be compressed: `uncompressed` is docker's word for `none`. @throws UsageError */
export function parseCompression(flag: string, text: string): Compression {
  const given = oneOf(flag, text, ['gzip', 'zstd', 'none', 'uncompressed']);
  return given === 'uncompressed' ? 'none' : given;
}
