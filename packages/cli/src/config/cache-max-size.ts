import type { CacheSize } from '@caisson/store';
import { parseCacheSize } from '../cache-size.ts';
import { flagOrVariable } from '../flag-or-variable.ts';
import type { Terminal } from '../terminal.ts';
import { readConfigFiles } from './config-files.ts';

/** How much the cache may take: the flag, else CAISSON_CACHE_MAX_SIZE, else a config file. @throws UsageError */
export async function readCacheMaxSize(
  flag: string | undefined,
  terminal: Pick<Terminal, 'env'>,
): Promise<CacheSize | undefined> {
  const given = flagOrVariable('--cache-max-size', flag, 'CAISSON_CACHE_MAX_SIZE', terminal);
  if (given !== undefined) return parseCacheSize(given.by, given.value);
  for (const { path, settings } of await readConfigFiles(terminal.env)) {
    const size = settings['cache-max-size'];
    if (size !== undefined) return parseCacheSize(`${path}: cache-max-size`, size);
  }
  return undefined;
}
