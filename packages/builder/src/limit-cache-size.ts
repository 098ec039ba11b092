import { DEFAULT_CACHE_SIZE, limitCache, type CacheFull, type Session, type Store } from '@caisson/store';
import { optionWords } from './option-words.ts';
import type { BuildEvent, Emit } from './events.ts';
import { configuredCacheSize } from './config/configured-cache-size.ts';
import type { BuildRequest } from './request.ts';

type Limited = Pick<BuildRequest, 'cacheMaxSize' | 'registry' | 'signal'>;

/**
 * Keeps the cache below the size that a build asks for, else below what is configured. Where that cannot be, the build
 * goes on with a warning.
 * @throws BuildError `invalid-request` for a setting that makes no sense
 */
export async function limitCacheSize(
  store: Store,
  session: Session,
  { cacheMaxSize, registry: { env = process.env } = {}, signal }: Limited,
  emit: Emit,
): Promise<void> {
  const size = cacheMaxSize ?? (await configuredCacheSize(env)) ?? DEFAULT_CACHE_SIZE;
  await limitCache(store, session, size, (full) => emit(fullWarning(full)), signal);
}

function fullWarning({ used, limit }: CacheFull): BuildEvent {
  return {
    kind: 'warning',
    message: `the cache takes ${sizeText(used)}, more than its limit of ${sizeText(limit)}: builds that are running, this one among them, use all of it`,
    hint: `give it more by ${optionWords().cacheMaxSize}, CAISSON_CACHE_MAX_SIZE or cache-max-size in config.toml`,
  };
}

function sizeText(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.ceil(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0)} MB`;
}
