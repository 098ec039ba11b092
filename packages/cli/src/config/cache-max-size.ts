import type { CacheSize } from '@caisson/store';
import { parseCacheSize } from '../cache-size.ts';
import type { Terminal } from '../terminal.ts';
import { readConfigFiles } from './config-files.ts';

/** How much the cache may take: the flag, else CAISSON_CACHE_MAX_SIZE, else a config file. @throws UsageError */
export async function readCacheMaxSize(
  flag: string | undefined,
  { env }: Pick<Terminal, 'env'>,
): Promise<CacheSize | undefined> {
  if (flag !== undefined) return parseCacheSize('--cache-max-size', flag);
  const variable = env['CAISSON_CACHE_MAX_SIZE'];
  if (variable !== undefined && variable !== '') return parseCacheSize('CAISSON_CACHE_MAX_SIZE', variable);
  for (const { path, settings } of await readConfigFiles(env)) {
    const size = settings['cache-max-size'];
    if (size !== undefined) return parseCacheSize(`${path}: cache-max-size`, size);
  }
  return undefined;
}
