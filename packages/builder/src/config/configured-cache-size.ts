import type { Environment } from '@caisson/registry';
import { parseCacheSize, type CacheSize } from '@caisson/store';
import { buildError } from '../failure.ts';
import { readConfigFiles } from './config-files.ts';

const VARIABLE = 'CAISSON_CACHE_MAX_SIZE';

/**
 * How much the cache may take where a build does not say: what the environment says, else a config file.
 * @throws BuildError `invalid-request` for one that says what makes no sense
 */
export async function configuredCacheSize(env: Environment): Promise<CacheSize | undefined> {
  const given = env[VARIABLE];
  if (given !== undefined && given !== '') return sizeOf(VARIABLE, given);
  for (const { path, settings } of await readConfigFiles(env)) {
    const size = settings['cache-max-size'];
    if (size !== undefined) return sizeOf(`${path}: cache-max-size`, size);
  }
  return undefined;
}

/** @param origin what says so, for messages */
function sizeOf(origin: string, text: string): CacheSize {
  const size = parseCacheSize(text);
  if (size.ok) return size.value;
  const { message, expected } = size.error;
  throw buildError('invalid-request', `${origin} ${message}`, { expected });
}
